/** Covered instances of which Incus takes snapshots by itself as well: two schedules work on one instance. */
import type { OwnSchedule } from '../incus/inventory.ts'
import { own } from '../own.ts'
import type { World } from '../plan/world.ts'
import type { Coverage } from '../policy/cover.ts'
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

const groupOf = ({ schedule, expiry }: OwnSchedule): string => `${schedule}${BETWEEN}${expiry}`

export function scheduleIn(group: string): OwnSchedule {
  const at = group.lastIndexOf(BETWEEN)
  return { schedule: group.slice(0, at), expiry: group.slice(at + BETWEEN.length) }
}
