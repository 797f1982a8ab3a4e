/** The relay's log: one JSON event a line, which holds no secrets. */

/** `run`: id of the Worker's run, as its own log has it. */
export type RelayEvent =
  | { event: 'message'; message: string }
  | { event: 'batch'; run?: string; jobs: number; failed: number; ms: number }
  | { event: 'copy'; job: string; state: string; ms: number; bytes: number }

export type Emit = (event: RelayEvent) => void

/** Names that people chose are in it: only printable ASCII is written, the rest is escaped. */
export const eventLine = (event: RelayEvent, at: Date): string =>
  JSON.stringify({ at: at.toISOString(), ...event }).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
