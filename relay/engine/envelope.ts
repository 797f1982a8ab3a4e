/** Incus's envelope around every reply, and the operation inside many of them. Its texts are made safe here. */
import { isOperationId } from '../../shared/incus/names.ts'
import { safeText } from '../../shared/safe-text.ts'

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

/** An HTTP status, or 0. */
const status = (value: unknown): number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 100 && value < 600 ? value : 0

/** Null when it is no envelope of Incus. */
export function parseEnvelope(body: unknown): Envelope | null {
  if (!isObject(body)) return null
  const { type } = body
  if (type !== 'sync' && type !== 'async' && type !== 'error') return null
  const error = safeText(text(body.error))
  return { type, error, errorCode: status(body.error_code), metadata: body.metadata }
}

/** Characters of what an operation says of itself. */
const PROGRESS = 200

/** Null when the metadata is no operation, or its id is none of Incus's. */
export function parseOperation(metadata: unknown): Operation | null {
  if (!isObject(metadata)) return null
  const { id, status_code: statusCode } = metadata
  if (typeof id !== 'string' || !isOperationId(id)) return null
  if (typeof statusCode !== 'number' || !Number.isFinite(statusCode)) return null
  const operation = { id, statusCode, err: safeText(text(metadata.err)) }
  const progress = isObject(metadata.metadata) ? safeText(text(metadata.metadata.fs_progress), PROGRESS) : ''
  return progress === '' ? operation : { ...operation, progress }
}
