/** Long work that somebody asked for. */
export type Watch = {
  /** Of its audit record. */
  id: string
  /** The command as one would type it. */
  line: string
  /** Who asked, by name. */
  by: string
  /** Keys of the work (see ledger/work.ts). */
  work: string[]
  /** ISO 8601. */
  startedAt: string
}
