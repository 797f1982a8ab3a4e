/**
 * Servers whose clocks are wrong. Their snapshots have wrong dates, which decide what is the newest, what is
 * ours and what has expired.
 */

import type { SnapshotPair } from '../incus/inventory.ts'
import { AHEAD_SECONDS, aheadOf } from '../incus/snapshot-name.ts'
import type { InstanceRef } from '../incus/subject.ts'
import type { Coverage } from '../policy/cover.ts'
import { snapshotCommand } from '../shell.ts'
import type { World } from './world.ts'

export type ClockProblem = { about: string; reason: string }

/** Seconds. Smaller differences don't matter. */
const WORTH_TELLING = 600
/** So many snapshots of an instance are named. */
const NAMED = 3

export function clockProblems(
  coverages: readonly Coverage[],
  { remotes }: Pick<World, 'remotes'>,
  now: Date,
): ClockProblem[] {
  const skews = new Map(
    Object.entries(remotes).flatMap(([remote, reply]) => {
      const skew = reply.ok ? (reply.inventory.server.skew ?? 0) : 0
      return Math.abs(skew) < WORTH_TELLING ? [] : [[remote, skew] as const]
    }),
  )
  const isAhead = aheadOf(now)
  const covered = new Map(coverages.flatMap((coverage) => coverage.covered).map((one) => [one.key, one]))
  return [
    ...[...skews].map(([about, skew]) => ({ about, reason: skewText(skew) })),
    ...[...covered].flatMap(([about, { ref, record }]) => {
      const ahead = (record.snapshots ?? []).filter(isAhead)
      // While the clock itself is wrong, only that is reported.
      if (ahead.length === 0 || (skews.get(ref.remote) ?? 0) > 0) return []
      return [{ about, reason: aheadText(ref, ahead) }]
    }),
  ]
}

function skewText(skew: number): string {
  const span = spanOf(Math.abs(skew))
  if (skew > 0)
    return `its clock is ${span} ahead: ${SET}. Until then, its snapshots are dated in the future and expire too early`
  if (-skew < AHEAD_SECONDS)
    return `its clock is ${span} behind: ${SET}. If it falls an hour behind, its snapshots can't be told from forged ones`
  return `its clock is ${span} behind: ${SET}. Until then, stapes can't tell the snapshots made there from ones that somebody named for the future. It does not count, copy or expire them, and they stay until you delete them`
}

const SET = 'correct it on that server (timedatectl shows and sets it)'

function aheadText(ref: InstanceRef, ahead: readonly SnapshotPair[]): string {
  const names = ahead.slice(0, NAMED).map(([name]) => name)
  const more = ahead.length > NAMED ? ` and ${ahead.length - NAMED} more` : ''
  const [first = ''] = names
  const [verb, what] = ahead.length === 1 ? ['is', 'it counts'] : ['are', 'they count']
  return `${names.join(', ')}${more} ${verb} dated in the future, because the server's clock was ahead. Until that date ${what} as the newest, and newer ones on a copy expire earlier. Delete what you don't need: ${snapshotCommand(ref, 'delete', first)}`
}

const spanOf = (seconds: number): string => {
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`
}
