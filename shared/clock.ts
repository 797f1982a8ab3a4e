/** The time as a thing that is handed in: real in the relay, virtual in a simulation. */
export type Clock = {
  /** Milliseconds since the epoch. */
  now(): number
  /** Runs something once after so many milliseconds; the returned function calls that off. */
  after(ms: number, run: () => void): () => void
}
