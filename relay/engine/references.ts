/** Fills in the parts of a step's body that only earlier steps or the servers themselves know. */
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { isObject } from './envelope.ts'

export type Known = {
  /** The reply's envelope of an earlier step. */
  reply(step: number): Result<unknown, CallError>
  /** The URL of the operation that an earlier step made. */
  operationUrl(step: number): Result<string, CallError>
  /** A remote's certificate, PEM. */
  certificate(remote: string): Promise<Result<string, CallError>>
}

export async function resolveReferences(value: unknown, known: Known): Promise<Result<unknown, CallError>> {
  if (Array.isArray(value)) return resolveArray(value, known)
  if (!isObject(value)) return ok(value)
  if (Object.hasOwn(value, '$step')) return resolveStep(value, known)
  if (Object.hasOwn(value, '$operationUrl')) return resolveOperationUrl(value.$operationUrl, known)
  if (Object.hasOwn(value, '$certificate')) return resolveCertificate(value.$certificate, known)
  const resolved: [string, unknown][] = []
  for (const [key, inner] of Object.entries(value)) {
    const part = await resolveReferences(inner, known)
    if (!part.ok) return part
    resolved.push([key, part.value])
  }
  return ok(Object.fromEntries(resolved))
}

async function resolveArray(values: unknown[], known: Known): Promise<Result<unknown, CallError>> {
  const resolved: unknown[] = []
  for (const value of values) {
    const part = await resolveReferences(value, known)
    if (!part.ok) return part
    resolved.push(part.value)
  }
  return ok(resolved)
}

function resolveStep(reference: Record<string, unknown>, known: Known): Result<unknown, CallError> {
  const { $step: step, pointer } = reference
  if (typeof step !== 'number' || typeof pointer !== 'string') {
    return err(badRequest('expected {"$step": number, "pointer": "/…"}'))
  }
  const reply = known.reply(step)
  return reply.ok ? follow(reply.value, pointer, step) : reply
}

/** RFC 6901. */
function follow(value: unknown, pointer: string, step: number): Result<unknown, CallError> {
  const missing = err(badRequest(`"${pointer}" is not in the reply of step ${step}`))
  if (pointer !== '' && !pointer.startsWith('/')) return missing
  let found = value
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return missing
    found = (found as Record<string, unknown>)[key]
  }
  return ok(found)
}

const resolveOperationUrl = (step: unknown, known: Known): Result<string, CallError> =>
  typeof step === 'number' ? known.operationUrl(step) : err(badRequest('expected {"$operationUrl": number}'))

const resolveCertificate = async (remote: unknown, known: Known): Promise<Result<string, CallError>> =>
  typeof remote === 'string'
    ? known.certificate(remote)
    : err(badRequest('expected {"$certificate": "<remote>"}'))

export const badRequest = (message: string): CallError => ({ code: 'bad-request', message })
