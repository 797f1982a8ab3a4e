/** Policies over a virtual machine that runs: `npm run lab:vm`; with another daemon, `LAB_INCUSD=<incusd> npm run lab:vm`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { realTheatre } from '../../e2e/real-theatre.ts'
import { openStage, type Stage } from '../../e2e/stage.ts'
import { openTimeline, POLICY, type Timeline } from '../../e2e/timeline.ts'
import { INCUSD } from '../installed.ts'
import { type Pair, startPair } from '../pair.ts'
import {
  countAfter,
  countOf,
  importImage,
  readConsole,
  startGuest,
  untilCounting,
  watchStatus,
} from './guest.ts'
import { missingForMachines, withMachines } from './kit.ts'

const VM = 'guest'
const KEY = `main/default/${VM}`

describe('a virtual machine that runs, on main’s btrfs, copied to backup’s dir', () => {
  let pair: Pair
  let stage: Stage
  let timeline: Timeline
  beforeAll(async () => {
    const missing = missingForMachines({ booting: true })
    if (missing !== null) throw new Error(missing)
    const incusd = await withMachines(process.env.LAB_INCUSD ?? INCUSD)
    pair = await startPair({ daemons: { main: incusd, backup: incusd } })
    stage = await openStage(async () => realTheatre(pair))
    await importImage(pair.main)
    await startGuest(pair.main, VM)
    // Nothing is written from outside: the guest writes.
    timeline = openTimeline(stage, [], 0)
    return () => stage.close()
  })

  const applyPolicy = (more: object = {}, copy: object = {}): Promise<void> =>
    stage.apply({
      policies: {
        [POLICY]: {
          ...{ select: { remotes: ['main'] }, schedule: '0 * * * *', keep: { last: 2 } },
          copy: { remote: 'backup', ...copy },
          ...more,
        },
      },
    })
  const post = async (path: string, body: object): Promise<unknown> => {
    const response = await stage.worker.fetch(path, { method: 'POST', body: JSON.stringify(body) })
    const answer: unknown = await response.json()
    if (!response.ok) throw new Error(JSON.stringify(answer))
    return answer
  }
  const statusOf = async (path: string): Promise<Record<string, never>> =>
    (await (await stage.worker.fetch(path)).json()) as Record<string, never>

  test('is snapshotted and copied while it goes on, and what arrives is what was taken', async () => {
    await applyPolicy()
    const watch = watchStatus(pair.main, VM)
    const first = await timeline.strike()
    await timeline.settle()
    const second = await timeline.strike()
    await timeline.settle()
    expect(await watch.stop()).toEqual(['Running'])
    for (const snapshot of [first, second]) {
      const count = await countOf(pair.main, VM, snapshot)
      expect(count).toBeGreaterThan(0)
      expect(await countOf(pair.backup, VM, snapshot)).toBe(count)
    }
  })

  test('is snapshotted with its memory, expires, and the memory travels', async () => {
    await applyPolicy({ stateful: true })
    await timeline.strike()
    await timeline.settle()
    const newest = await timeline.strike()
    await timeline.settle()
    for (const server of [pair.main, pair.backup]) {
      const listed = (await server.run('GET', `/1.0/instances/${VM}/snapshots?recursion=1`)) as Listed[]
      expect(listed.slice(-2).map(({ stateful }) => stateful)).toEqual([true, true])
      expect(listed.map(({ name }) => name)).toContain(newest)
      // Two are kept, and between two slots there is one more.
      expect(listed).toHaveLength(3)
    }
    const before = await countOf(pair.main, VM)
    expect(await untilCounting(pair.main, VM, (before ?? 0) + 2)).toBeGreaterThan(before ?? 0)
  })
  type Listed = { name: string; stateful: boolean }

  test('is paused for the whole copy where the policy wants that', async () => {
    await applyPolicy({}, { allow: 'freeze' })
    const watch = watchStatus(pair.main, VM)
    await timeline.strike()
    await timeline.settle()
    expect(await watch.stop()).toEqual(['Running', 'Frozen', 'Running'])
  })

  test('starts as a throw-away from a verified copy, and finds the disk of that moment', async () => {
    const { instances } = (await statusOf('/api/instances')) as unknown as {
      instances: { copies: { verified: string[] }[] }[]
    }
    const snapshot = instances[0]?.copies[0]?.verified.at(-1) ?? ''
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
    const listed = (await pair.main.run('GET', `/1.0/instances/${VM}/snapshots?recursion=1`)) as Listed[]
    const ours = listed.filter(({ name, stateful }) => name.startsWith(POLICY) && stateful === kept)
    const snapshot = ours.at(-1)?.name ?? ''
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
      const { copies } = (await statusOf('/api/status')) as unknown as {
        copies: Record<string, { state: string }>
      }
      if (Object.values(copies).every(({ state }) => state === 'verified')) return
      await sleep(1000)
    }
    throw new Error('its copy has no end')
  }

  const untilRestored = async (): Promise<void> => {
    for (let tries = 0; tries < 120; tries++) {
      const { restores } = (await statusOf('/api/status')) as unknown as {
        restores: Record<string, { state: string }>
      }
      if (restores[KEY]?.state === 'done') return
      await sleep(1000)
      await post('/api/run', {})
    }
    throw new Error('its restore has no end')
  }

  test('without migration.stateful a stateful policy is refused, with what to set', async () => {
    await startGuest(pair.main, 'plain', { 'migration.stateful': 'false' })
    await applyPolicy({ stateful: true, select: { remotes: ['main'], instances: ['plain'] } })
    const ran = (await post('/api/run', { policies: [POLICY] })) as { problems: string[] }
    expect(ran.problems.join('\n')).toContain('stop it, set migration.stateful=true on it and size.state')
    await pair.main.run('PUT', '/1.0/instances/plain/state', { action: 'stop', force: true })
  })
})
