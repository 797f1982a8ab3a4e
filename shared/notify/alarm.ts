/** Troubles with one cause are one alarm. */
import type { Gravity } from './channel.ts'
import { isOfSilence, LATE, SILENT, type Trouble } from './trouble.ts'

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
    const id = placeOf(trouble, told.get(trouble.id), followed)
    if (subject !== null) bySubject.set(subject, id)
    if (isCondition(trouble)) byCause.set(trouble.cause, id)
    const alarm = alarms.get(id) ?? { id, troubles: [] }
    alarm.troubles.push(trouble)
    alarms.set(id, alarm)
  }
  return alarms
}

/**
 * That the relay is silent and that a server is are two things. What was told of one that is back goes with what keeps
 * it broken then; any other stays where it was told, else that would be called over.
 */
function placeOf(trouble: Trouble, before: string | undefined, followed: string | undefined): string {
  if (trouble.id.startsWith(SILENT)) return trouble.cause
  const mayMove = hasCause(trouble) && before !== undefined && isOfSilence(before)
  return (mayMove ? (followed ?? before) : (before ?? followed)) ?? trouble.cause
}

/** What it says of now: a promise that is still broken after a server is back goes with what keeps it broken then. */
const isCondition = ({ id }: Trouble): boolean => id.startsWith('condition ')

/** A copy that is late without a reason follows from what else is wrong with its instance. */
const hasCause = ({ cause }: Trouble): boolean => !cause.startsWith(LATE)

export const gravest = (troubles: readonly Trouble[]): Gravity =>
  troubles.some(({ severity }) => severity === 'critical') ? 'critical' : 'warning'
