/** Which verified snapshots that vanish from a copy the relay calls lost. */
import { expect, test } from 'vitest'
import { createJournal } from '../../../relay/engine/journal.ts'
import { createSightings } from '../../../relay/engine/sightings.ts'
import type { Upstream } from '../../../relay/engine/upstream.ts'
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { recordOf, replyOf } from '../policy/instances.ts'

const COPY = 'backup/default/web'
const HOUR = 3_600_000
const START = Date.parse('2026-11-22T06:00:00Z')
const pairOf = (name: string): SnapshotPair => [name, START / 1000 - 60]
const [A, B, C] = ['a', 'b', 'c'].map(pairOf) as [SnapshotPair, SnapshotPair, SnapshotPair]
const lostOf = (...pairs: SnapshotPair[]) => pairs.map(([name, at]) => `default/web/${name}@${at}`)

function begin() {
  const clock = new VirtualClock(START)
  let disk = 'null'
  const open = () =>
    createJournal(clock, {
      read: () => JSON.parse(disk) as unknown,
      changed: (state) => {
        disk = JSON.stringify(state())
      },
    })
  return { clock, open, journal: open() }
}

test('what never ends, and what ends much later, is lost; for a day, over a restart, on that remote', async () => {
  const { clock, open, journal } = begin()
  const { losses } = journal
  losses.know(COPY, [
    [A, null],
    [B, START + 48 * HOUR],
    [C, START + HOUR],
  ])
  losses.seen(COPY, [], [A, B, C])
  expect(losses.on('backup')).toEqual(lostOf(A, B))
  expect(losses.on('back')).toEqual([])
  expect(open().losses.on('backup')).toEqual(lostOf(A, B))
  await clock.advance(START + 25 * HOUR)
  expect(losses.on('backup')).toEqual([])
})

test('what the relay removes, or lets expire, is not, unless it was made to stay again', () => {
  const { losses } = begin().journal
  losses.know(COPY, [
    [A, null],
    [B, null],
    [C, START],
  ])
  losses.mayGo(COPY, A, START)
  losses.mayGo(COPY, C, null)
  losses.seen(COPY, [B], [A, C])
  expect(losses.on('backup')).toEqual(lostOf(C))
})

test('of a copy whose expiries the relay doesn’t know, or that is another one now, nothing is said', () => {
  const { losses } = begin().journal
  losses.mayGo(COPY, B, START)
  losses.seen(COPY, [], [A, B])
  losses.know(COPY, [[A, null]])
  losses.forget(COPY)
  losses.seen(COPY, [], [A])
  expect(losses.on('backup')).toEqual([])
})

test('one that is listed again isn’t lost', () => {
  const { losses } = begin().journal
  losses.know(COPY, [[A, null]])
  losses.seen(COPY, [], [A])
  losses.seen(COPY, [A], [])
  expect(losses.on('backup')).toEqual([])
})

const NOBODY: Upstream = {
  request: async () => ({ ok: false, error: { code: 'unreachable', message: 'nobody is there' } }),
}

test.each([
  ['a copy has lost it', { 'user.stapes.replica-of': 'main/default/web' }, lostOf(A)],
  ['an instance that is none, as of a server under another’s name, has not', {}, []],
])('by a look that lists it no longer %s', (_, own, lost) => {
  const { clock, journal } = begin()
  journal.setVerified(COPY, [A, B])
  journal.losses.know(COPY, [
    [A, null],
    [B, null],
  ])
  const reply = replyOf([recordOf('web', { own, snapshots: [B] })])
  if (reply.ok) createSightings(NOBODY, clock, journal).note('backup', reply.inventory, START, false)
  expect(journal.losses.on('backup')).toEqual(lost)
})
