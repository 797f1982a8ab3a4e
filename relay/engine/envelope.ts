/** Incus's envelope around every reply, and the operation inside many of them. */
export type Envelope = {
  type: 'sync' | 'async' | 'error'
  error: string
  errorCode: number
  metadata: unknown
}

export type Operation = {
  id: string
  /** 100 to 199 while it lives, 200 success, 400 failure, 401 cancelled. */
  statusCode: number
  err: string
  progress?: string
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const number = (value: unknown): number => (typeof value === 'number' ? value : 0)

/** Null when it is no envelope of Incus. */
export function parseEnvelope(body: unknown): Envelope | null {
  if (!isObject(body)) return null
  const { type } = body
  if (type !== 'sync' && type !== 'async' && type !== 'error') return null
  return { type, error: text(body.error), errorCode: number(body.error_code), metadata: body.metadata }
}

/** Null when the metadata is no operation. */
export function parseOperation(metadata: unknown): Operation | null {
  if (!isObject(metadata)) return null
  const { id, status_code: statusCode } = metadata
  if (typeof id !== 'string' || id === '' || typeof statusCode !== 'number') return null
  const operation = { id, statusCode, err: text(metadata.err) }
  const progress = isObject(metadata.metadata) ? text(metadata.metadata.fs_progress) : ''
  return progress === '' ? operation : { ...operation, progress }
}
