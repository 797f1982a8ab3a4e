/** The audit record of one requested change: written before its effect, its outcome after it. */
import type { Actor } from '../chat/actor.ts'

export type AuditOutcome = {
  /** `started`: a later tick records the outcome. `unknown`: the outcome isn't known. */
  state: 'done' | 'started' | 'refused' | 'failed' | 'unknown'
  /** In a sentence. */
  text: string
  /** ISO 8601. */
  at: string
}

export type AuditRecord = {
  id: string
  /** ISO 8601. */
  at: string
  /** An actor's id and name. */
  who: string
  name: string
  /** Its place. */
  from: string
  /** Id of the requester, when another person confirmed. */
  askedBy?: string
  /** The command as one would type it. */
  what: string
  /** Keys of the instances that the plan changes; absent where it is about none (pause). */
  instances?: string[]
  /** Digest of the plan that was performed; absent where there is none (pause). */
  plan?: string
  /** Absent until the outcome is known. */
  outcome?: AuditOutcome
}

/** The part of a record that names the actor. */
export const writtenBy = ({
  id,
  name,
  place,
}: Pick<Actor, 'id' | 'name' | 'place'>): Pick<AuditRecord, 'who' | 'name' | 'from'> => ({
  who: id,
  name,
  from: place,
})

/** The record in at most `longest` characters, for a place other than KV: of the instances as many as fit. */
export function recordText({ instances = [], ...record }: AuditRecord, longest: number): string {
  const short = { ...record, name: clean(record.name, 80), what: clean(record.what, 300) }
  for (let shown = instances.length; ; shown = Math.floor(shown / 2)) {
    const left = instances.length - shown
    const more = left === 0 ? {} : { more: left }
    const text = JSON.stringify({ ...short, instances: instances.slice(0, shown), ...more })
    if (text.length <= longest || shown === 0) return text.slice(0, longest)
  }
}

/** What JSON would need six characters for is left out. */
const clean = (text: string, length: number): string => text.replace(/[\p{Cc}\p{Cs}]/gu, ' ').slice(0, length)
