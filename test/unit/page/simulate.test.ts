/** The simulator on the page: what it shows of a change, and that it does nothing. */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { DOCUMENT, openScene, type PageScene } from '../../page/scene.ts'
import { ORIGIN, openStage, type Stage } from '../../page/stage.ts'
import { textIn } from '../../page/text-in.ts'

vi.spyOn(console, 'log').mockImplementation(() => {})

let scene: PageScene
let stage: Stage

beforeAll(async () => {
  scene = await openScene()
  await scene.pass(310)
  stage = openStage(scene.world)
})

const send = async (fields: Record<string, string>): Promise<string> => {
  const cookie = await stage.signIn()
  const response = await stage.post('/simulate', fields, { origin: ORIGIN, cookie })
  expect(response.status).toBe(200)
  return response.text()
}

const AS_APPLIED = { part: 'policy', policy: 'hourly', schedule: '@hourly', keep: '{"last":6}', expiry: '' }

describe('the simulator', () => {
  test('begins with what is applied, of the policy that is named', async () => {
    const html = await stage.read('/simulate?policy=nightly')
    expect(html).toContain('value="0 3 * * *"')
    expect(html).toContain('value="{&quot;daily&quot;:7}"')
    expect(textIn(html)).toContain('"nightly": {')
  })

  test('shows what a smaller "keep" would remove, when, and what is left of it in a year', async () => {
    const text = textIn(await send({ ...AS_APPLIED, keep: '{"last":1}', subject: 'web' }))
    expect(text).toMatch(
      /1 instance: of the snapshots that exist, 0 would go at once, 0 with the next slot, and 12 later/,
    )
    expect(text).toContain('5 of 6 snapshots would go at once, and more than 50 % are too many')
    expect(text).toMatch(
      /hourly-20261120T0100Z main\/default\/web later 2026-11-22 10:00 UTC no rule keeps it/,
    )
    expect(text).toContain('What changes, compared with what is applied')
    expect(text).not.toContain('main/default/db')
  })

  test('reads of KV what it needs, once', async () => {
    const cookie = await stage.signIn()
    const readsOf = async (ask: () => Promise<Response>): Promise<number> => {
      const before = scene.world.kv.counts.reads
      expect((await ask()).status).toBe(200)
      return scene.world.kv.counts.reads - before
    }
    expect(await readsOf(() => stage.get('/simulate', { cookie }))).toBe(1)
    expect(await readsOf(() => stage.post('/simulate', AS_APPLIED, { origin: ORIGIN, cookie }))).toBe(2)
    expect(await readsOf(() => stage.get('/', { cookie }))).toBe(4)
  })

  test('says that nothing is different where that is what is applied', async () => {
    expect(textIn(await send({ ...AS_APPLIED, subject: 'web' }))).toContain('This is what is applied now.')
  })

  test('takes a whole document, with comments', async () => {
    const document = `// shorter\n${JSON.stringify({ ...DOCUMENT, policies: { hourly: { ...DOCUMENT.policies.hourly, keep: { last: 2 } } } })}`
    const text = textIn(await send({ part: 'document', document, subject: '' }))
    expect(text).toContain('2 instances: of the snapshots that exist')
    expect(text).toContain('// shorter')
  })

  test.for([
    [{ ...AS_APPLIED, keep: 'seven' }, /It would be refused: keep: /],
    [{ ...AS_APPLIED, schedule: 'sometimes' }, /It would be refused: .*schedule.*expected a cron expression/],
    [{ part: 'document', document: '{' }, /It would be refused: the document can't be read/],
    [{ ...AS_APPLIED, subject: 'nobody' }, /It would be refused: .*nobody/],
  ] as const)('of %j says why, and keeps what was typed', async ([fields, why]) => {
    const html = await send(fields)
    expect(textIn(html)).toMatch(why)
    for (const typed of Object.values(fields))
      expect(textIn(html) + html).toContain(typed.replaceAll('"', '&quot;'))
  })

  test('applies nothing, removes nothing and writes nothing', async () => {
    const { kv, incus } = scene.world
    const names = () =>
      [incus.main, incus.backup].map((one) =>
        JSON.stringify(
          [...(one.state.projects.get('default')?.instances ?? [])].map(([name, { snapshots }]) => [
            name,
            [...snapshots.keys()],
          ]),
        ),
      )
    const before = [kv.counts.writes, kv.peek('config'), ...names()]
    await send({ ...AS_APPLIED, keep: '{"last":1}' })
    expect([kv.counts.writes, kv.peek('config'), ...names()]).toEqual(before)
  })

  test('is for nobody else', async () => {
    expect((await stage.post('/simulate', AS_APPLIED)).status).toBe(401)
    const cookie = await stage.signIn()
    expect(
      (await stage.post('/simulate', AS_APPLIED, { cookie, origin: 'https://evil.example.org' })).status,
    ).toBe(403)
  })
})
