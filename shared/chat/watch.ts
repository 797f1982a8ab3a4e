/** Long work that somebody asked for, and how far each part of it is. */

export type Watch = {
  /** Of its audit record. */
  id: string
  /** The command as one would type it. */
  line: string
  /** Who asked, by name. */
  by: string
  /** Replicas by their keys, `source key>destination key`. */
  copies: string[]
  /** Instance keys. */
  restores: string[]
  /** ISO 8601. */
  startedAt: string
}

export type Base = {
  /** The instance's key. */
  instance: string
  /** The ledger knows of it. */
  seen: boolean
  /** Set once it was seen to end. `unknown`: it is over, and nobody saw how. */
  end: 'good' | 'bad' | 'unknown' | null
  /** Failed tries so far. */
  attempts: number
  reason: string | null
  /** When it is tried again (ISO 8601). */
  retryAt: string | null
  /** Incus's own words on how far it is. */
  progress: string | null
}

/** One copy or restore. */
export type Item =
  | (Base & { kind: 'copy'; target: string; newest: string | null })
  | (Base & { kind: 'restore'; snapshot: string | null; safety: string | null })
