/** What monitors ask over HTTP: whether the Worker is alive, and whether the promises are kept. */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { openScene, type PageScene } from '../../page/scene.ts'
import { openStage, type Stage, TOKEN } from '../../page/stage.ts'

vi.spyOn(console, 'log').mockImplementation(() => {})

const authorization = `Bearer ${TOKEN}`
let scene: PageScene
let stage: Stage

beforeAll(async () => {
  scene = await openScene({
    defaults: { remotes: ['main'] },
    policies: {
      hourly: {
        select: { instances: ['web'] },
        schedule: '@hourly',
        keep: { last: 6 },
        copy: { remote: 'backup' },
      },
      nightly: { select: { instances: ['db', 'lab'] }, schedule: '0 3 * * *', keep: { daily: 7 } },
    },
  })
  stage = openStage(scene.world)
  await scene.pass(190)
})

const healthAt = async (query = '') => {
  const answer = await stage.get(`/api/health${query}`, { authorization })
  return [answer.status, ((await answer.json()) as { health: string }).health]
}

test('that it is alive is told without a token, and nothing else', async () => {
  const answer = await stage.get('/healthz')
  expect([answer.status, await answer.json()]).toEqual([200, { alive: true }])
  for (const path of ['/api/health', '/metrics', '/api/status'])
    expect((await stage.get(path)).status).toBe(401)
})

describe('the health', () => {
  test('is 200 while all is kept, of all, of a policy, and of an instance or its copy', async () => {
    for (const query of ['', '?policy=hourly', '?subject=web', '?subject=backup/default/web'])
      expect([query, ...(await healthAt(query))]).toEqual([query, 200, 'good'])
  })

  test('is 503 of what is promised to nobody', async () => {
    for (const query of ['?policy=none', '?subject=none', '?policy=nightly&subject=web'])
      expect([query, ...(await healthAt(query))]).toEqual([query, 503, 'bad'])
  })

  test('is 503 where a promise is broken, and 200 of what has nothing to do with it', async () => {
    scene.world.incus.backup.kill()
    await scene.pass(3)
    for (const query of ['', '?policy=hourly', '?subject=web'])
      expect([query, ...(await healthAt(query))]).toEqual([query, 503, 'bad'])
    for (const query of ['?policy=nightly', '?subject=db'])
      expect([query, ...(await healthAt(query))]).toEqual([query, 200, 'good'])
  })
})
