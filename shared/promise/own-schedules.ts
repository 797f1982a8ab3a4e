/** What Incus does by its own schedules: where two of them work on one instance, and what it didn't do. */
import type { OwnSchedule } from '../incus/inventory.ts'
import type { Ledger, OwnLedger } from '../ledger/ledger.ts'
import { own } from '../own.ts'
import type { World } from '../plan/world.ts'
import type { Coverage } from '../policy/cover.ts'
import { type Condition, ofRemote, warning } from './condition.ts'
import type { Facts } from './facts.ts'
import { add, addFormer, noted } from './unprotected.ts'

/** Their keys by `schedule / expiry`. Of a silent remote, what was known before. */
export function schedulesIn(
  coverages: readonly Coverage[],
  world: World,
  before: Pick<Facts, 'scheduled'> | null,
): Pick<Facts, 'scheduled'> {
  const scheduled = new Map<string, string[]>()
  const covered = new Map(coverages.flatMap((one) => one.covered.map((each) => [each.key, each.record])))
  for (const [key, record] of covered)
    if (record.scheduled !== undefined) add(scheduled, groupOf(record.scheduled), [key])
  for (const remote of new Set(coverages.flatMap(({ policy }) => policy.select.remotes)))
    if (own(world.remotes, remote)?.ok !== true) addFormer(scheduled, before?.scheduled, remote)
  return scheduled.size === 0 ? {} : { scheduled: noted(scheduled) }
}

const BETWEEN = ' / '

const groupOf = ({ schedule, expiry }: Pick<OwnSchedule, 'schedule' | 'expiry'>): string =>
  `${schedule}${BETWEEN}${expiry}`

export function scheduleIn(group: string): Pick<OwnSchedule, 'schedule' | 'expiry'> {
  const at = group.lastIndexOf(BETWEEN)
  return { schedule: group.slice(0, at), expiry: group.slice(at + BETWEEN.length) }
}

const DAY = 86_400_000

/** What Incus didn't do by its own schedules, and what of it can't be judged. */
export const byIncus = ({ incus }: Ledger, now: Date): Condition[] =>
  Object.entries(incus ?? {}).flatMap(([remote, ledger]) => [
    ...unservedOn(remote, ledger, now),
    ...deadOn(remote, ledger),
    ...zonelessOn(remote, ledger),
  ])

/** Of the last day, until a later slot of the same instance was served. */
function unservedOn(remote: string, { slots, subjects }: OwnLedger, now: Date): Condition[] {
  const from = new Date(now.getTime() - DAY).toISOString()
  const missed = Object.entries(subjects).flatMap(([key, one]) =>
    (one.missed ?? '') < from ? [] : [{ key, ...one, slot: one.missed ?? '' }],
  )
  const newest = missed
    .map(({ slot }) => slot)
    .sort()
    .at(-1)
  const first = missed.find(({ slot }) => slot === newest)
  if (first === undefined) return []
  const { key, schedule, slot } = first
  const each = missed.map((one) => one.key)
  const record = slots.find((one) => one.failures?.some(({ instance }) => instance === key))
  const why = record?.reason ?? 'Incus took no snapshot then, and makes none up'
  const more = each.length === 1 ? '' : ` (and ${each.length - 1} more there)`
  const text = `Incus itself missed the slot ${slot.slice(0, 16)}Z of its own schedule "${schedule}" of ${key}${more}: ${why}. A policy makes such a slot up: /backup take-over ${key}`
  return [warning(`own ${remote}`, text, ofRemote(remote), { keys: each.slice(0, 20), each, since: slot })]
}

function deadOn(remote: string, { subjects }: OwnLedger): Condition[] {
  const found = Object.entries(subjects).filter(([, { dead = [] }]) => dead.length > 0)
  const [first] = found
  if (first === undefined) return []
  const [key, { dead = [] }] = first
  const more = found.length === 1 ? '' : ` (and of ${found.length - 1} more there)`
  const why = dead[0]?.includes(',')
    ? 'Incus splits such a list at each comma, so that this part never comes due: write it without commas, or by itself'
    : "stapes can't read it, so it isn't known whether Incus follows it"
  const text = `snapshots.schedule of ${key}${more} has the part "${dead[0]}": ${why}`
  const each = found.map(([one]) => one)
  return [warning(`own part ${remote}`, text, ofRemote(remote), { keys: each.slice(0, 20), each })]
}

function zonelessOn(remote: string, { subjects, zone }: OwnLedger): Condition[] {
  const [first] = Object.keys(subjects)
  if (zone !== undefined || first === undefined) return []
  const text = `it isn't known yet whether Incus follows its own schedules on ${remote}, as that of ${first}: its time zone shows with the first snapshot that stapes takes there`
  return [warning(`own zone ${remote}`, text, ofRemote(remote), { severity: 'info', keys: [first] })]
}
