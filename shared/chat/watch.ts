/** Long work that somebody requested, and whose progress is shown. */
export type Watch = {
  /** Id of its audit record. */
  id: string
  /** The command as one would type it. */
  line: string
  /** Name of the requester. */
  by: string
  /** Keys of the work (see ledger/work.ts). */
  work: string[]
  /** ISO 8601. */
  startedAt: string
}
