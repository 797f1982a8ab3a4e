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
  for (const trouble of [...troubles.filter(hasCause), ...troubles.filter((one) => !hasCause(one))]) {
    const { subject } = trouble
    const followed = hasCause(trouble) ? undefined : bySubject.get(subject ?? '')
    const id = told.get(trouble.id) ?? followed ?? trouble.cause
    if (subject !== null) bySubject.set(subject, id)
    const alarm = alarms.get(id) ?? { id, troubles: [] }
    alarm.troubles.push(trouble)
    alarms.set(id, alarm)
  }
  return alarms
}

/** A copy that is late without a reason follows from what else is wrong with its instance. */
const hasCause = ({ cause }: Trouble): boolean => !cause.startsWith(LATE)

export const gravest = (troubles: readonly Trouble[]): Gravity =>
  troubles.some(({ severity }) => severity === 'critical') ? 'critical' : 'warning'
