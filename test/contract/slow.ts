/** What only time brings about: expiry, and copies that nobody fetches. One minute, waited for once. */

import { beforeAll, describe, expect, test } from 'vitest'
import { exists, patchSnapshot, readOperation, snapshotNames, succeed, takeSnapshot } from './calls.ts'
import { offer, pull, receive } from './copy.ts'
import type { World } from './incus.ts'
import { NESTED, NEVER } from './model.ts'
import type { ContractInstance } from './server.ts'
import type { Reply, Side } from './side.ts'

const PAST = '2020-01-01T00:00:00Z'

/** `early` was seen after 20 s, `late` after 35, the snapshots when the past one was gone, at most 90 s on. */
type Seen = {
  early: { offer: number; pushed: boolean }
  late: { offer: Reply; pushed: boolean }
  source: string[]
  target: string[]
}

export function slowContract(world: World): void {
  describe('as time goes by', () => {
    let seen: Seen
    beforeAll(async () => {
      seen = await watch(world)
    }, 150_000)

    test('an offered copy that nobody fetches within 30 s fails', () => {
      expect(seen.early.offer).toBe(103)
      expect(seen.late.offer.status).toBe(200)
      const { envelope } = seen.late.offer
      expect(world.has(NESTED) ? readOperation(seen.late.offer).err : envelope.error).toBe(
        'Failed waiting for migration control connection on source: context deadline exceeded',
      )
    })

    test('a target that nobody pushes to within 30 s drops its record', () => {
      expect(seen.early.pushed).toBe(true)
      expect(seen.late.pushed).toBe(false)
    })

    test('a snapshot goes within a minute of its expiry, one whose expiry was taken back stays', () => {
      expect(seen.source).toEqual(['future', 'never', 'reprieved'])
    })

    test("a copy's snapshots are pruned by the target's own daemon", () => {
      expect(seen.target).toEqual(['future', 'never'])
    })
  })
}

async function watch(world: World): Promise<Seen> {
  const { main, backup } = world
  const source = await world.createInstance('aging')
  await takeSnapshot(main, source, 'never')
  await takeSnapshot(main, source, 'future', { expires_at: '2040-01-01T00:00:00Z' })
  const copied = await world.createInstance('aged')
  await takeSnapshot(main, copied, 'never')
  await takeSnapshot(main, copied, 'future', { expires_at: '2040-01-01T00:00:00Z' })
  await takeSnapshot(main, copied, 'past')
  await pull({ from: main, to: backup, source: copied })
  await expire(backup, copied, 'past')

  const unfetched = await world.createInstance('unfetched')
  const offered = readOperation(await offer({ from: main, to: backup, source: unfetched }))
  const ended = main.ask('waitOperation', { parameters: { operation: offered.id } })
  const pushed = { name: world.fresh('unpushed') }
  readOperation(
    await receive({ from: main, to: backup, source: unfetched, target: pushed }, { mode: 'push' }),
  )
  await takeSnapshot(main, source, 'past', { expires_at: PAST })
  await takeSnapshot(main, source, 'reprieved', {
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
  })
  await succeed(main, await patchSnapshot(main, source, 'reprieved', { expires_at: NEVER }))

  await world.elapse(20)
  const running = await main.ask('getOperation', { parameters: { operation: offered.id } })
  const early = { offer: readOperation(running).status_code, pushed: await exists(backup, pushed) }
  await world.elapse(15)
  const late = { offer: await ended, pushed: await exists(backup, pushed) }
  await untilGone(world, main, source)
  await untilGone(world, backup, copied)
  return {
    early,
    late,
    source: await snapshotNames(main, source),
    target: await snapshotNames(backup, copied),
  }
}

async function expire(side: Side, it: ContractInstance, name: string): Promise<void> {
  await succeed(side, await patchSnapshot(side, it, name, { expires_at: PAST }))
}

/** A round of pruning begins every 60 s, so at 35 s it may still be to come. */
async function untilGone(world: World, side: Side, it: ContractInstance): Promise<void> {
  for (let tries = 0; tries < 45; tries++) {
    if (!(await snapshotNames(side, it)).includes('past')) return
    await world.elapse(1)
  }
}
