/** The relay's own mark on an instance that it is making, and whether somebody uses that already. */
import type { InstanceRef } from '../../shared/incus/subject.ts'
import { MAKING } from '../../shared/policy/marks.ts'
import { type Making, parseMaking } from '../../shared/work/clone/mark.ts'
import { isObject, text } from './envelope.ts'
import type { Seal } from './seal.ts'

/** The relay's own mark. Another's counts for nothing. */
export function makingOn(ref: InstanceRef, config: unknown, seal: Seal): Making | null {
  const mark = isObject(config) ? text(config[MAKING]) : ''
  return seal.isOn(ref, mark) ? parseMaking(mark) : null
}

/** It doesn't run and never did; Incus shows the year 1970, or 1, for never. */
export function isUnused(instance: unknown): boolean {
  if (!isObject(instance) || instance.status !== 'Stopped') return false
  const last = Date.parse(text(instance.last_used_at))
  return Number.isNaN(last) || last <= 0
}
