/** The envelope around every answer. */
export type Envelope = {
  type: 'sync' | 'async' | 'error'
  status: string
  status_code: number
  operation: string
  error_code: number
  error: string
  metadata: unknown
}

export type Reply = {
  status: number
  headers?: Record<string, string>
  body: unknown
  /** What the ETag of this object is the hash of; only the HTTPS side computes it. */
  tagged?: unknown
  /** A file instead of JSON. */
  file?: Uint8Array
}

/** What the daemon answers instead of doing it: status (or the operation's error code) and its own text. */
export class Refusal extends Error {
  readonly code: number

  constructor(code: number, text: string) {
    super(text)
    this.code = code
  }
}

export const failure = (code: number, error: string): Envelope => ({
  type: 'error',
  status: '',
  status_code: 0,
  operation: '',
  error_code: code,
  error,
  metadata: null,
})

export const success = (metadata: unknown): Envelope => ({
  type: 'sync',
  status: 'Success',
  status_code: 200,
  operation: '',
  error_code: 0,
  error: '',
  metadata,
})

export const sync = (metadata: unknown = {}, tagged?: unknown): Reply =>
  tagged === undefined
    ? { status: 200, body: success(metadata) }
    : { status: 200, body: success(metadata), tagged }

export const refused = (refusal: Refusal): Reply => ({
  status: refusal.code,
  body: failure(refusal.code, refusal.message),
})

/** 202 with the operation that does the work. */
export const accepted = (id: string, operation: unknown): Reply => ({
  status: 202,
  headers: { location: `/1.0/operations/${id}` },
  body: {
    type: 'async',
    status: 'Operation created',
    status_code: 100,
    operation: `/1.0/operations/${id}`,
    error_code: 0,
    error: '',
    metadata: operation,
  },
})
