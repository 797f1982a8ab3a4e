/** The first screen over a whole world: what a person reads there. */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { seedInstance } from '../../emulator/scene.ts'
import { openScene, type PageScene } from '../../page/scene.ts'
import { openStage, type Stage } from '../../page/stage.ts'
import { textIn } from '../../page/text-in.ts'
import { statusIn } from '../../simulation/status.ts'
import { createWorld } from '../../simulation/world.ts'

vi.spyOn(console, 'log').mockImplementation(() => {})

describe('over a world that is backed up', () => {
  let scene: PageScene
  let stage: Stage
  beforeAll(async () => {
    scene = await openScene()
    await scene.pass(30)
    stage = openStage(scene.world)
  })

  test('says what the status says, and names what no policy covers', async () => {
    const html = await stage.read('/')
    const { health, warnings } = await statusIn(scene.world)
    expect([health, warnings]).toEqual(['bad', [expect.stringContaining('lab')]])
    expect(textIn(html)).toContain('Not everything is protected')
    for (const warning of warnings) expect(textIn(html)).toContain(warning.slice(1, 60))
    expect(textIn(html)).toContain('lab ✕ not backed up: no policy covers it')
  })

  test('finds by words, and says so where nothing is found', async () => {
    const rows = async (query: string) =>
      [...(await stage.read(`/${query}`)).matchAll(/href="\/subject\/main\/default\/(\w+)"/g)].map(
        ([, it]) => it,
      )
    expect(await rows('')).toEqual(['lab', 'db', 'web'])
    expect(await rows('?q=main+we')).toEqual(['web'])
    expect(await rows('?show=attention')).toEqual(['lab'])
    expect(textIn(await stage.read('/?q=nothing'))).toContain('Nothing is found')
  })

  test('says that everything is protected once lab is left out on purpose', async () => {
    const { incus } = scene.world
    const lab = incus.main.state.projects.get('default')?.instances.get('lab')
    if (lab !== undefined) lab.config['user.stapes.exclude'] = 'true'
    await scene.pass(60)
    expect((await statusIn(scene.world)).health).toBe('good')
    const text = textIn(await stage.read('/'))
    expect(text).toContain('Everything is protected')
    expect(text).not.toContain('What to do')
  })

  test('turns red within the minutes of the promise when the relay is away, and says why', async () => {
    scene.world.relay.up = false
    await scene.pass(95)
    const text = textIn(await stage.read('/'))
    expect(text).toContain('Not everything is protected')
    expect(text).toContain('✕ not kept hourly')
    expect(text).toContain("the relay can't be reached")
  })
})

test('says so where nothing was applied', async () => {
  const world = createWorld({ start: new Date('2026-11-20T00:00:30Z') })
  const text = textIn(await openStage(world).read('/'))
  expect(text).toContain('Not everything is protected')
  expect(text).toContain('no configuration was applied, so nothing is backed up')
})

test('shows a name that a server made up as text, wherever it stands', async () => {
  const scene = await openScene({
    policies: { q: { remotes: ['main'], schedule: '@hourly', keep: { last: 3 } } },
  })
  const hostile = `<img src=x onerror=alert(1)>"'&`
  seedInstance(scene.world.incus.main, { name: hostile, running: true })
  await scene.pass(3)
  const facts = JSON.parse(scene.world.kv.peek('promises') ?? '{}')
  // However it came there.
  facts.subjects.q[`main/default/${hostile}`] = {}
  facts.uncovered = { 'main/<b>x</b>': hostile.replaceAll(' ', '_') }
  await scene.world.places[0]?.state.put('promises', JSON.stringify(facts))
  const html = await openStage(scene.world).read(`/?q=${encodeURIComponent('"><script>alert(1)</script>')}`)
  const all = await openStage(scene.world).read('/')
  expect(textIn(all)).toContain(hostile)
  for (const page of [html, all]) expect(page).not.toMatch(/<img src=x|<script|<b>/)
  expect(all).toContain('href="/subject/main/default/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%22&#39;%26"')
})
