import { describe, expect, test } from 'vitest'
import { instanceOf, seedInstance } from '../../emulator/scene.ts'
import { VirtualPair } from './virtual-pair.ts'

/** The first round comes 60 s after the start, so at second 20 of each minute. */
const START = '2026-11-22T00:00:20Z'

const names = (pair: VirtualPair, name: string): string[] => [
  ...instanceOf(pair.main, { name }).snapshots.keys(),
]
const dates = (pair: VirtualPair, name: string): string[] =>
  [...instanceOf(pair.main, { name }).snapshots.values()].map(({ createdAt }) => createdAt.slice(0, 19))

const scheduled = (more: Record<string, string> = {}): Record<string, string> => ({
  'snapshots.schedule': '30 * * * *',
  'snapshots.schedule.stopped': 'true',
  ...more,
})

describe("the daemon's own scheduler", () => {
  test('fires in the minute before the slot', async () => {
    const pair = new VirtualPair(START)
    seedInstance(pair.main, { name: 'web1', config: scheduled() })
    await pair.elapse(2 * 3600)
    expect(dates(pair, 'web1')).toEqual(['2026-11-22T00:29:20', '2026-11-22T01:29:20'])
    expect(names(pair, 'web1')).toEqual(['snap0', 'snap1'])
  })

  test('skips stopped instances unless told otherwise', async () => {
    const pair = new VirtualPair(START)
    seedInstance(pair.main, { name: 'stopped', config: { 'snapshots.schedule': '30 * * * *' } })
    seedInstance(pair.main, {
      name: 'running',
      running: true,
      config: { 'snapshots.schedule': '30 * * * *' },
    })
    await pair.elapse(3600)
    expect([names(pair, 'stopped'), names(pair, 'running')]).toEqual([[], ['snap0']])
  })

  test('catches nothing up', async () => {
    const pair = new VirtualPair(START)
    seedInstance(pair.main, { name: 'web1', config: scheduled() })
    await pair.elapse(28 * 60)
    pair.main.kill()
    await pair.elapse(4 * 60)
    pair.main.start()
    await pair.elapse(20 * 60)
    expect(names(pair, 'web1')).toEqual([])
  })

  test('ends its batch at the first error, and leaves an operation that belongs to nobody', async () => {
    const pair = new VirtualPair(START)
    seedInstance(pair.main, { name: 'bad', config: scheduled({ 'snapshots.pattern': 'x%d%d' }) })
    seedInstance(pair.main, { name: 'good', config: scheduled() })
    await pair.elapse(29 * 60 + 1)
    expect(names(pair, 'good')).toEqual([])
    const listed = await pair.ask(pair.main, 'GET', '/1.0/operations?recursion=1')
    expect(listed.body.metadata).toMatchObject({
      failure: [{ resources: {}, err: "Snapshot pattern may contain '%d' only once" }],
    })
  })

  test('prunes by expires_at within a minute, idle rounds or not', async () => {
    const pair = new VirtualPair(START)
    seedInstance(pair.main, { name: 'web1' })
    await pair.elapse(3600)
    const body = { name: 's1', expires_at: '2026-11-22T03:00:00Z' }
    await pair.run(pair.main, 'POST', '/1.0/instances/web1/snapshots', body)
    await pair.elapse(Date.parse('2026-11-22T03:00:19Z') / 1000 - pair.clock.now() / 1000)
    expect(names(pair, 'web1')).toEqual(['s1'])
    await pair.elapse(2)
    expect(names(pair, 'web1')).toEqual([])
  })

  test("gives what it makes the instance's expiry, and counts past any number that matches", async () => {
    const pair = new VirtualPair(START)
    const config = scheduled({ 'snapshots.pattern': 'auto-%d', 'snapshots.expiry': '2d' })
    seedInstance(pair.main, { name: 'web1', config })
    await pair.takeSnapshot(pair.main, 'web1', 'auto-2026-11-01')
    await pair.elapse(1800)
    const made = instanceOf(pair.main, { name: 'web1' }).snapshots.get('auto-2027')
    expect(made?.expires.text.slice(0, 19)).toBe('2026-11-24T00:29:20')
  })

  test.for([
    ['snapshots.schedule', '@daily,@weekly', /^Invalid config: Schedule must be of the form/],
    ['snapshots.schedule', '0 3 * *', /^Invalid config: Schedule must be of the form/],
    ['snapshots.expiry', '1h', /^Invalid config: Invalid expiry expression$/],
    ['snapshots.expiry', '1d 2d', /^Invalid config: Invalid expiry expression$/],
    ['snapshots.expiry.manual', '1d', /^Invalid config: Unknown configuration key/],
  ] as const)('refuses %s=%s', async ([key, value, error]) => {
    const pair = new VirtualPair(START)
    seedInstance(pair.main, { name: 'web1' })
    const body = { config: { [key]: value } }
    const answer = await pair.ask(pair.main, 'PATCH', '/1.0/instances/web1', { body })
    expect(answer.status).toBe(500)
    expect(answer.body.error).toMatch(error)
  })
})
