/** Troubles with one cause are one alarm. */
import type { Severity } from '../promise/severity.ts'
import type { Trouble } from './trouble.ts'

export type Alarm = { id: string; severity: Severity; troubles: Trouble[] }

/**
 * `told`: the alarm in which a trouble was told already. It stays there until it is over, though its cause looks
 * different then: when a server is back, its copies are late for a while.
 */
export function alarmsOf(
  troubles: readonly Trouble[],
  told: ReadonlyMap<string, string>,
): Map<string, Alarm> {
  const alarms = new Map<string, Alarm>()
  for (const trouble of troubles) {
    const id = told.get(trouble.id) ?? trouble.cause
    const known = alarms.get(id)
    alarms.set(id, {
      id,
      severity: known?.severity === 'critical' ? 'critical' : trouble.severity,
      troubles: [...(known?.troubles ?? []), trouble],
    })
  }
  return alarms
}

export const gravest = (troubles: readonly Trouble[]): Severity =>
  troubles.some(({ severity }) => severity === 'critical') ? 'critical' : 'warning'
