/** Policies over a virtual machine that runs: `npm run lab:vm`; with another daemon, `LAB_INCUSD=<incusd> npm run lab:vm`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Stage } from '../../e2e/stage.ts'
import { openTimeline, POLICY, type Timeline } from '../../e2e/timeline.ts'
import type { Pair } from '../pair.ts'
import type { LabServer } from '../server.ts'
import { countAfter, countOf, readConsole, startGuest, untilCounting, watchStatus } from './guest.ts'
import { KEY, openMachines, VM } from './stage.ts'

/** Of this one the copy may not be inconsistent. */
const PAUSED = 'paused'
/** Without migration.stateful. */
const PLAIN = 'plain'

describe('virtual machines that run, on main’s btrfs, copied to backup’s dir', () => {
  let pair: Pair
  let stage: Stage
  let timeline: Timeline
  beforeAll(async () => {
    ;({ pair, stage } = await openMachines())
    await startGuest(pair.main, VM)
    await startGuest(pair.main, PAUSED)
    const of = (instance: string) => ({ select: { remotes: ['main'], instances: [instance] } })
    const copy = { remote: 'backup' }
    await stage.apply({
      defaults: { schedule: '0 * * * *', keep: { last: 2 } },
      policies: {
        [POLICY]: { ...of(VM), copy },
        memory: { ...of(VM), copy, stateful: true },
        whole: { ...of(PAUSED), copy: { ...copy, allow: 'freeze' } },
        plain: { ...of(PLAIN), stateful: true },
      },
    })
    // Nothing is written from outside: the guests write.
    timeline = openTimeline(stage, [], 0)
    return () => stage.close()
  })

  const post = async (path: string, body: object): Promise<unknown> => {
    const response = await stage.worker.fetch(path, { method: 'POST', body: JSON.stringify(body) })
    const answer: unknown = await response.json()
    if (!response.ok) throw new Error(JSON.stringify(answer))
    return answer
  }
  type Status = {
    copies: Record<string, { state: string; newest?: string }>
    restores: Record<string, { state: string }>
  }
  const readStatus = async (): Promise<Status> =>
    (await (await stage.worker.fetch('/api/status')).json()) as Status
  type Listed = { name: string; stateful: boolean }
  const snapshotsOf = async (server: LabServer, name: string): Promise<Listed[]> =>
    (await server.run('GET', `/1.0/instances/${name}/snapshots?recursion=1`)) as Listed[]

  /** Minutes until all copies are verified up to that slot. */
  const settle = async (slot: string): Promise<void> => {
    for (let minute = 0; minute < 58; minute++) {
      await timeline.tick()
      const copies = Object.values((await readStatus()).copies)
      if (copies.length === 2 && copies.every(({ newest }) => newest?.endsWith(slot) === true)) return
      await sleep(1000)
    }
    throw new Error(`not all copies are verified: ${JSON.stringify(await readStatus())}`)
  }

  test('are snapshotted, with their memory too, and copied while they go on, unless the policy wants them paused', async () => {
    for (let hour = 0; hour < 2; hour++) {
      const slot = (await timeline.strike()).slice(POLICY.length)
      const watches = [VM, PAUSED].map((name) => watchStatus(pair.main, name))
      await settle(slot)
      const [live, paused] = await Promise.all(watches.map((watch) => watch.stop()))
      expect(live).toEqual(['Running'])
      expect(paused).toContain('Frozen')
      expect(paused?.at(-1)).toBe('Running')
      for (const snapshot of [`${POLICY}${slot}`, `memory${slot}`]) {
        const count = await countOf(pair.main, VM, snapshot)
        expect(count).toBeGreaterThan(0)
        expect(await countOf(pair.backup, VM, snapshot)).toBe(count)
      }
    }
  })

  test('lose what a policy doesn’t keep; and memory travels with its snapshot', async () => {
    for (let hour = 0; hour < 2; hour++) await settle((await timeline.strike()).slice(POLICY.length))
    for (const server of [pair.main, pair.backup]) {
      const listed = await snapshotsOf(server, VM)
      // Two of each policy are kept, and between two slots there is one more.
      expect(listed).toHaveLength(6)
      for (const { name, stateful } of listed) expect(stateful).toBe(name.startsWith('memory'))
    }
    const before = (await countOf(pair.main, VM)) ?? 0
    expect(await untilCounting(pair.main, VM, before + 2)).toBeGreaterThan(before)
  })

  test('starts as a throw-away from a verified copy, and finds the disk of that moment', async () => {
    const snapshot = (await snapshotsOf(pair.backup, VM)).findLast(({ stateful }) => !stateful)?.name ?? ''
    const count = await countOf(pair.backup, VM, snapshot)
    const source = { type: 'copy', source: `${VM}/${snapshot}` }
    await pair.backup.run('POST', '/1.0/instances', { name: 'drill', type: 'virtual-machine', source })
    await pair.backup.run('PUT', '/1.0/instances/drill/state', { action: 'start' })
    const log = await consoleOf('drill', /BOOTED found=\[(count=\d+)?/)
    expect(log?.[1]).toBe(`count=${count}`)
    await pair.backup.run('PUT', '/1.0/instances/drill/state', { action: 'stop', force: true })
    await pair.backup.run('DELETE', '/1.0/instances/drill')
  })

  const consoleOf = async (name: string, wanted: RegExp): Promise<RegExpExecArray | null> => {
    for (let tries = 0; tries < 120; tries++) {
      const found = wanted.exec(await readConsole(pair.backup, name))
      if (found !== null) return found
      await sleep(1000)
    }
    return null
  }

  test.each([
    ['its memory goes on where it was, if that is wanted', true, true],
    ['it boots anew from the disk of that moment, if not', true, false],
    ['it boots anew, where no memory was kept', false, false],
  ])('is restored in place and runs afterwards: %s', async (_, kept, wanted) => {
    await untilCopied()
    const wanting = kept ? 'memory' : POLICY
    const snapshot =
      (await snapshotsOf(pair.main, VM)).findLast(({ name }) => name.startsWith(wanting))?.name ?? ''
    const count = await countOf(pair.main, VM, snapshot)
    const wish = { do: 'restore', instance: KEY, snapshot, ...(wanted ? { stateful: true } : {}) }
    const { digest } = (await post('/api/plan', wish)) as { digest: string }
    await post('/api/run', { ...wish, confirm: digest })
    await untilRestored()
    const { status } = (await pair.main.run('GET', `/1.0/instances/${VM}`)) as { status: string }
    expect(status).toBe('Running')
    const next = await countAfter(pair.main, VM, count)
    if (wanted) expect(next).toBeGreaterThan(count ?? 0)
    else expect(next).toBeLessThan(count ?? 0)
  })

  /** The present hour has a slot too, whose copy would be in the way. */
  const untilCopied = async (): Promise<void> => {
    for (let tries = 0; tries < 120; tries++) {
      await post('/api/run', {})
      const { copies } = await readStatus()
      if (Object.values(copies).every(({ state }) => state === 'verified')) return
      await sleep(1000)
    }
    throw new Error('its copy has no end')
  }

  const untilRestored = async (): Promise<void> => {
    for (let tries = 0; tries < 120; tries++) {
      const { restores } = await readStatus()
      if (restores[KEY]?.state === 'done') return
      await sleep(1000)
      await post('/api/run', {})
    }
    throw new Error('its restore has no end')
  }

  test('without migration.stateful a stateful policy is refused, with what to set', async () => {
    await startGuest(pair.main, PLAIN, { 'migration.stateful': 'false' })
    const ran = (await post('/api/run', { policies: ['plain'] })) as { problems: string[] }
    expect(ran.problems.join('\n')).toContain('stop it, set migration.stateful=true on it and size.state')
    await pair.main.run('PUT', '/1.0/instances/plain/state', { action: 'stop', force: true })
  })
})
