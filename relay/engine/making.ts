/** The relay's own mark on an instance that it is making, or what its journal has instead; and whether somebody uses that already. */
import type { InstanceRecord } from '../../shared/incus/inventory.ts'
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import { MAKING } from '../../shared/policy/marks.ts'
import { type Making, parseMaking } from '../../shared/work/clone/mark.ts'
import { isObject, text } from './envelope.ts'
import type { Journal } from './journal.ts'
import type { Seal } from './seal.ts'

/** The relay's own mark. Another's counts for nothing. */
export function makingOn(ref: InstanceRef, config: unknown, seal: Seal): Making | null {
  const mark = isObject(config) ? text(config[MAKING]) : ''
  return seal.isOn(ref, mark) ? parseMaking(mark) : null
}

/** Of one that was restored to a snapshot since, which takes the mark off it. `since`: when Incus created it. */
export function unmarkedOn(
  ref: InstanceRef,
  config: unknown,
  since: number | null,
  { journal, seal }: { journal: Pick<Journal, 'made'>; seal: Seal },
): Making | null {
  if (since === null || !isObject(config) || text(config[MAKING]) !== '') return null
  return makingOn(ref, { [MAKING]: journal.made(subjectKey(ref), since) ?? '' }, seal)
}

/** The same of a listed one: there it has its mark again, or is known to be finished. */
export function withMade(
  record: InstanceRecord,
  { remote, since, made }: { remote: string; since: number | null; made: Journal['made'] },
): InstanceRecord {
  const { project, name, own, config } = record
  const mark = since === null ? null : made(subjectKey({ remote, project, instance: name }), since)
  if (mark === null || own.includes(MAKING)) return record
  if (mark === '') return { ...record, made: true }
  return { ...record, own: [...own, MAKING], config: { ...config, [MAKING]: mark } }
}

/** It doesn't run and never did; Incus shows the year 1970, or 1, for never. */
export function isUnused(instance: unknown): boolean {
  if (!isObject(instance) || instance.status !== 'Stopped') return false
  const last = Date.parse(text(instance.last_used_at))
  return Number.isNaN(last) || last <= 0
}
