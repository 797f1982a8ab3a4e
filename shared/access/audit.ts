/** One change that somebody asked for: written before its effect, its outcome after it. */
import type { Actor } from '../chat/actor.ts'

export type AuditOutcome = {
  /** `started`: later ticks tell the end. `unknown`: nobody saw it. */
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
  /** Who asked first, when another person confirmed. */
  askedBy?: string
  /** The command as one would type it. */
  what: string
  /** Keys of the instances that the plan changes; absent where it is about none (pause). */
  instances?: string[]
  /** Digest of the plan that was performed; absent where there is none (pause). */
  plan?: string
  /** Absent while nobody has seen an end. */
  outcome?: AuditOutcome
}

/** The part of a record that says whose it is. */
export const writtenBy = ({
  id,
  name,
  place,
}: Pick<Actor, 'id' | 'name' | 'place'>): Pick<AuditRecord, 'who' | 'name' | 'from'> => ({
  who: id,
  name,
  from: place,
})
