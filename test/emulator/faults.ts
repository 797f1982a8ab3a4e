/** What a test can make go wrong with a single request. */

/** The connection is refused or reset, nothing ever comes back, or Incus answers with an error of its own. */
export type Cut = 'refuse' | 'reset' | 'hang' | { status: number; error: string }

export type Fault = {
  /** Passes before the request is looked at. */
  delayMs?: number
  /** Instead of doing what was asked. */
  before?: Cut
  /** Instead of the answer, after it was done. */
  after?: Cut
  /** What was asked is accepted, and its operation fails with this text. */
  operation?: string
}

/** No answer of Incus: what a client's socket would report. */
export class ConnectionLost extends Error {
  readonly code: 'ECONNREFUSED' | 'ECONNRESET'

  constructor(code: 'ECONNREFUSED' | 'ECONNRESET') {
    super(code === 'ECONNREFUSED' ? 'connect ECONNREFUSED' : 'read ECONNRESET')
    this.code = code
  }
}
