/** Troubles with one cause are one alarm. */
import type { Gravity } from './channel.ts'
import { LATE, type Trouble } from './trouble.ts'

export type Alarm = { id: string; troubles: Trouble[] }

/**
 * `told`: the alarm in which a trouble was told already. It stays there until it is over, though its cause looks
 * different then: when a server is back, its copies are late for a while.
 */
export function alarmsOf(
  troubles: readonly Trouble[],
  told: ReadonlyMap<string, string>,
): Map<string, Alarm> {
  const alarms = new Map<string, Alarm>()
  const bySubject = new Map<string, string>()
  const byCause = new Map<string, string>()
  for (const trouble of [...troubles.filter(hasCause), ...troubles.filter((one) => !hasCause(one))]) {
    const { subject } = trouble
    const followed = hasCause(trouble) ? byCause.get(trouble.cause) : bySubject.get(subject ?? '')
    const before = told.get(trouble.id)
    const id = (hasCause(trouble) ? (followed ?? before) : (before ?? followed)) ?? trouble.cause
    if (subject !== null) bySubject.set(subject, id)
    if (isCondition(trouble)) byCause.set(trouble.cause, id)
    const alarm = alarms.get(id) ?? { id, troubles: [] }
    alarm.troubles.push(trouble)
    alarms.set(id, alarm)
  }
  return alarms
}

/** What it says of now: a promise that is still broken after a server is back goes with what keeps it broken then. */
const isCondition = ({ id }: Trouble): boolean => id.startsWith('condition ')

/** A copy that is late without a reason follows from what else is wrong with its instance. */
const hasCause = ({ cause }: Trouble): boolean => !cause.startsWith(LATE)

export const gravest = (troubles: readonly Trouble[]): Gravity =>
  troubles.some(({ severity }) => severity === 'critical') ? 'critical' : 'warning'
