/** The mark on an instance that the relay has stand still. */
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import { PAUSING } from '../../shared/policy/marks.ts'
import { isObject, text } from './envelope.ts'
import type { Journal } from './journal.ts'
import type { Seal } from './seal.ts'

/** The mark of a pause that begins then (milliseconds since the epoch), with the hook that makes it ready instead. */
export const pauseMark = (ref: InstanceRef, since: number, seal: Seal, hook?: string): string =>
  seal.put(ref, `${new Date(since).toISOString()}${hook === undefined ? '' : ` ${hook}`}`)

/** The hook that the relay's own mark names; null: none. */
export function hookOn(ref: InstanceRef, config: unknown, seal: Seal): string | null {
  const mark = isObject(config) ? text(config[PAUSING]) : ''
  const [, hook, ...rest] = mark.split(' ')
  return hook !== undefined && rest.length === 1 && seal.isOn(ref, mark) ? hook : null
}

/** When the pause began that the relay's own mark names; null: it has none. */
export function pausedSince(ref: InstanceRef, config: unknown, seal: Seal): number | null {
  const mark = isObject(config) ? text(config[PAUSING]) : ''
  const since = Date.parse(mark.split(' ')[0] ?? '')
  return mark !== '' && seal.isOn(ref, mark) && !Number.isNaN(since) ? since : null
}

/** Whether it stands still by the relay. A snapshot has the mark in its config, too, so a restore brings it back. */
export const isPausedByRelay = (
  ref: InstanceRef,
  config: unknown,
  { seal, journal }: { seal: Seal; journal: Pick<Journal, 'resumed'> },
): boolean => {
  const since = pausedSince(ref, config, seal)
  return since !== null && since > journal.resumed(subjectKey(ref))
}
