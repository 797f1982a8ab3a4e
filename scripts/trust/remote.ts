/** Calls to a remote of relay.jsonc with the relay's certificate, for what `npm run trust` asks. */

import { Agent, request } from 'undici'
import * as z from 'zod/mini'
import { type ClientCertificate, createPinnedConnector } from '../../relay/pinning.ts'
import { own } from '../../shared/own.ts'
import { err, type Result } from '../../shared/result.ts'
import type { RelayFile } from './relay-file.ts'

type Answer = { status: number; metadata: unknown; error: string }

export type Ask = (
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
) => Promise<Answer>

export type Server = {
  url: string
  /** Whether it knows the certificate at all. */
  isTrusted: boolean
  extensions: readonly string[]
  version: string
  ask: Ask
}

/** In milliseconds. */
const TIMEOUT = 30_000

const answerSchema = z.object({ metadata: z.optional(z.unknown()), error: z.optional(z.string()) })

const serverSchema = z.object({
  auth: z.string(),
  api_extensions: z.optional(z.nullable(z.array(z.string()))),
  environment: z.optional(z.object({ server_version: z.optional(z.string()) })),
})

export const listOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]

/** Hands the first of its members that answers to `use`; the connection is closed afterwards. */
export async function atRemote<T>(
  { path, document }: RelayFile,
  name: string,
  client: ClientCertificate,
  use: (server: Server) => Promise<Result<T, string>>,
): Promise<Result<T, string>> {
  const remote = own(document.remotes, name)
  if (remote === undefined) return err(`there is no remote "${name}" in ${path}`)
  const pins = listOf(remote.fingerprint).map(normalize)
  const dispatcher = new Agent({ connect: createPinnedConnector(client, pins) })
  try {
    const failures: string[] = []
    for (const url of listOf(remote.url)) {
      const ask = askAt(new URL(url).origin, dispatcher)
      const first = await ask('GET', '/1.0').catch((cause: Error) => cause)
      if (!(first instanceof Error)) return await use(serverOf(url, first, ask))
      failures.push(`${url}: ${first.message}`)
    }
    return err(`${name} can't be reached:\n  ${failures.join('\n  ')}`)
  } catch (error) {
    return err(`${name}: ${(error as Error).message}`)
  } finally {
    await dispatcher.close()
  }
}

export const normalize = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase()

function serverOf(url: string, { metadata }: Answer, ask: Ask): Server {
  const parsed = serverSchema.safeParse(metadata)
  const { auth, api_extensions: extensions, environment } = parsed.success ? parsed.data : { auth: '' }
  const version = environment?.server_version ?? ''
  return { url, isTrusted: auth === 'trusted', extensions: extensions ?? [], version, ask }
}

const askAt =
  (url: string, dispatcher: Agent): Ask =>
  async (method, path, body) => {
    const answer = await request(`${url}${path}`, {
      method,
      body: body === undefined ? null : JSON.stringify(body),
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      ...{ dispatcher, signal: AbortSignal.timeout(TIMEOUT) },
    })
    const text = await answer.body.text()
    const parsed = answerSchema.safeParse(parseJson(text))
    const { metadata, error = '' } = parsed.success ? parsed.data : {}
    return { status: answer.statusCode, metadata, error }
  }

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
