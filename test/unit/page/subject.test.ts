/** The page of one instance: its snapshots here and on its copy, what becomes of them, and what is said unseen. */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { instanceOf, seedInstance, write } from '../../emulator/scene.ts'
import { DOCUMENT, openScene, type PageScene } from '../../page/scene.ts'
import { openStage, type Stage } from '../../page/stage.ts'
import { textIn } from '../../page/text-in.ts'

vi.spyOn(console, 'log').mockImplementation(() => {})

const WEB = '/subject/main/default/web'

let scene: PageScene
let stage: Stage

beforeAll(async () => {
  scene = await openScene()
  await scene.pass(190)
  stage = openStage(scene.world)
})

const read = async (path: string): Promise<string> => textIn(await stage.read(path))

/** The row of the table that begins with it. */
const rowOf = async (path: string, name: string): Promise<string> => {
  const html = await stage.read(path)
  const row = [...html.matchAll(/<tr>.*?<\/tr>/g)]
    .map(([one]) => textIn(one))
    .find((one) => one.includes(name))
  return row ?? ''
}

describe('an instance', () => {
  test('shows what is promised of it, and until when that is kept', async () => {
    const text = await read(WEB)
    expect(text).toContain('It is protected: 2 of 2 promises are kept.')
    expect(text).toContain('verified copy on backup/default/web')
    expect(text).toMatch(/until 2026-11-20 05:00 UTC/)
  })

  test('has each snapshot with where it is, and why it stays', async () => {
    expect(await rowOf(WEB, 'hourly-20261120T0300Z')).toMatch(/main backup, verified last 1 of 6/)
    expect(await rowOf('/subject/main/default/db', 'nightly-20261120T0300Z')).toMatch(
      /daily 1 of 7 2026-12-04 03:00 UTC main: Incus removes it then: expiry 14d/,
    )
  })

  test('says until when one on request stays', async () => {
    const { main } = scene.world.incus
    const name = 'manual-20261120T0305Z'
    const db = instanceOf(main, { name: 'db' })
    const [first] = db.snapshots.values()
    if (first === undefined) throw new Error('it has no snapshot')
    db.snapshots.set(name, { ...first, name })
    expect(await rowOf('/subject/main/default/db', name)).toMatch(
      /on request.* UTC main: Incus removes it then, unless it was given another expiry/,
    )
    db.snapshots.delete(name)
  })

  test('has a mark in the picture for each, on each lane', async () => {
    const html = await stage.read(WEB)
    expect(html.match(/<circle class="snapshot" /g)?.length).toBe(4 + 1)
    expect(html.match(/<circle class="snapshot verified"/g)?.length).toBe(4 + 1)
    expect(html).toMatch(/<title id="picture-title">Snapshots over time<\/title>/)
    expect(textIn(html)).toContain('backup/default/web has 4 snapshots, 4 of them verified')
  })

  test('says what a run does now, and what the next one will', async () => {
    const text = await read(WEB)
    expect(text).toContain('Now nothing to do')
    expect(text).toMatch(
      /At the next slot, in \d+ min.*\+ hourly-20261120T0400Z slot 2026-11-20T04:00Z is due/,
    )
  })

  test('that is held says so, and what goes with the next run', async () => {
    const web = instanceOf(scene.world.incus.main, { name: 'web' })
    web.config['user.stapes.hold.hourly-20261120T0100Z'] = 'audit'
    web.config['user.stapes.keep.last'] = '1'
    expect(await rowOf(WEB, 'hourly-20261120T0100Z')).toMatch(/held$|held /)
    expect(await rowOf(WEB, 'hourly-20261120T0200Z')).toMatch(
      /with the next slot, 2026-11-20 04:00 UTC main: no rule keeps it/,
    )
    expect(await read(WEB)).toMatch(/- hourly-20261120T0200Z no rule keeps it/)
    delete web.config['user.stapes.hold.hourly-20261120T0100Z']
    delete web.config['user.stapes.keep.last']
  })

  test('says of a snapshot whose expiry is postponed until when, and why', async () => {
    const ledger = JSON.parse(scene.world.kv.peek('ledger') ?? '{}')
    const entry = ledger.work['copy main/default/web>backup/default/web']
    const until = '2026-11-21T03:00:00.000Z'
    entry.putOff = { snapshot: 'hourly-20261120T0300Z', own: '2026-11-20T05:00:00.000Z', until }
    await scene.world.places[0]?.state.put('ledger', JSON.stringify(ledger))
    expect(await rowOf(WEB, 'hourly-20261120T0300Z')).toMatch(
      /2026-11-21 03:00 UTC main: its expiry is postponed until then, because the copy lags behind/,
    )
    delete entry.putOff
    await scene.world.clock.advance(scene.world.clock.now() + 1100)
    await scene.world.places[0]?.state.put('ledger', JSON.stringify(ledger))
  })

  test('that is a copy says of what, and what is promised of it', async () => {
    const text = await read('/subject/backup/default/web')
    expect(text).toContain('a copy of main/default/web')
    expect(text).toContain('1 of 1 promise is kept')
    expect(await rowOf('/subject/backup/default/web', 'hourly-20261120T0300Z')).toContain('backup, verified')
  })

  test('that no policy covers is never shown as protected', async () => {
    const html = await stage.read('/subject/main/default/lab')
    expect(html).toContain('class="card verdict bad"')
    expect(textIn(html)).toContain('nothing is promised of main/default/lab: no active policy covers it')
  })

  test('that does not exist is not found, and not called protected', async () => {
    const response = await stage.get('/subject/main/default/nobody', { cookie: await stage.signIn() })
    expect(response.status).toBe(404)
    const html = await response.text()
    expect(html).toContain('class="card verdict bad"')
    expect(textIn(html)).toContain('It is not there')
    expect(textIn(html)).toContain('there is no such instance on main')
    expect(textIn(html)).not.toContain('could not be asked')
  })

  test('of any name is text, in links and titles alike', async () => {
    const hostile = encodeURIComponent('"><script>alert(1)</script>')
    const html = await (
      await stage.get(`/subject/main/default/${hostile}`, { cookie: await stage.signIn() })
    ).text()
    expect(html).not.toContain('<script')
    expect(html).toContain('&lt;script&gt;')
  })

  test('is shown by what the last look noted while the relay is away, and says so', async () => {
    scene.world.relay.up = false
    const text = await read(WEB)
    scene.world.relay.up = true
    expect(text).toContain('Incus could not be asked just now')
    expect(text).toContain('2 of 2 promises are kept')
    expect(text).toMatch(/2026-11-20 03:00 UTC .*served/)
  })

  test('whose server is down leads to its copy, which shows what is still safe', async () => {
    scene.world.incus.main.kill()
    const html = await stage.read(WEB)
    const copy = await read('/subject/backup/default/web')
    scene.world.incus.main.start()
    expect(textIn(html)).toContain('Its copy answers: backup/default/web')
    expect(html).toContain('href="/subject/backup/default/web"')
    expect(copy).toContain('hourly-20261120T0300Z')
  })

  test('says how a copy goes on that is being made', async () => {
    const { main, backup } = scene.world.incus
    main.bandwidth = 100e6
    backup.bandwidth = 100e6
    write(seedInstance(main, { name: 'huge', running: true }), 'huge', 60e12)
    await scene.world.apply({
      ...DOCUMENT,
      policies: { ...DOCUMENT.policies, all: { schedule: '@hourly', copy: { remote: 'backup' } } },
    })
    await scene.pass(3)
    expect(await read('/subject/main/default/huge')).toMatch(
      /The copy of main\/default\/huge to backup\/default\/huge is in progress since .* UTC : .*B/,
    )
    expect(await read('/')).toContain('In progress The copy of main/default/huge')
  })

  test('changes nothing by being looked at', async () => {
    const before = [scene.world.kv.counts.writes, scene.world.incus.main.state]
    const copy = structuredClone([...instanceOf(scene.world.incus.main, { name: 'web' }).snapshots.keys()])
    await read(WEB)
    expect([scene.world.kv.counts.writes, scene.world.incus.main.state]).toEqual(before)
    expect([...instanceOf(scene.world.incus.main, { name: 'web' }).snapshots.keys()]).toEqual(copy)
  })
})
