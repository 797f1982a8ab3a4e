/**
 * A server that stands for Incus, over TLS, and lies in one way at a time. Without a lie it has one instance,
 * "web", with one snapshot, and takes others.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendEnvelope, startTlsIncus, type TlsIncus } from './tls-incus.ts'

export type Answer = (message: IncomingMessage, response: ServerResponse) => void
/** By `METHOD path`, or by the path alone for GET: what is answered instead of the truth. */
export type Lie = Record<string, Answer>

export const SERVER = '/1.0'
export const PROJECTS = '/1.0/projects?recursion=1'
export const INSTANCES = '/1.0/instances?recursion=1&all-projects=true'
export const POOL = '/1.0/storage-pools/fast'
export const VOLUMES = '/1.0/storage-pools/fast/volumes/container?recursion=1&all-projects=true'
export const OPERATIONS = '/1.0/operations?recursion=1&all-projects=true'
const TAKE = 'POST /1.0/instances/web/snapshots?project=default'

export const says =
  (metadata: unknown): Answer =>
  (_, response) =>
    sendEnvelope(response, 200, { type: 'sync', metadata })

/** JSON as it is, for what no object can be written as. */
export const writes =
  (metadata: string): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(`{"type":"sync","metadata":${metadata}}`)
  }

/** Bytes as they are, past the HTTP server. */
export const sends =
  (...parts: (string | Buffer)[]): Answer =>
  ({ socket }) => {
    for (const part of parts) socket.write(part)
    socket.end()
  }

export const instance = (more: object = {}): object => ({
  ...{ name: 'web', project: 'default', type: 'container', status: 'Running', location: 'none' },
  ...{ created_at: '2026-11-01T00:00:00Z', config: {}, expanded_config: {} },
  expanded_devices: { root: { type: 'disk', path: '/', pool: 'fast' } },
  ...more,
})

export const volume = (name: string, created: unknown = '2026-11-22T20:19:15Z'): object => ({
  ...{ name, project: 'default', type: 'container', created_at: created },
})

export const server = (environment: object = {}): object => ({
  auth: 'trusted',
  api_extensions: ['instances'],
  environment: {
    ...{ server: 'incus', server_version: '6.0.4', server_clustered: false, certificate_fingerprint: 'ab12' },
    ...environment,
  },
})

const done = (id: string) => ({ id, status_code: 200, err: '', metadata: null })

const TRUTH: Lie = {
  [SERVER]: says(server()),
  [PROJECTS]: says([{ name: 'default', config: {} }]),
  [INSTANCES]: says([instance()]),
  [POOL]: says({ name: 'fast', driver: 'btrfs', config: {} }),
  [VOLUMES]: says([volume('web'), volume('web/s1')]),
  [OPERATIONS]: says({}),
  [TAKE]: (_, response) =>
    sendEnvelope(response, 202, {
      type: 'async',
      operation: '/1.0/operations/op1',
      metadata: { ...done('op1'), status_code: 103 },
    }),
  '/1.0/operations/op1/wait?timeout=60': says(done('op1')),
  '/1.0/operations/op1': says(done('op1')),
}

export type LyingServer = TlsIncus & { lie: Lie }

export async function startLyingServer(): Promise<LyingServer> {
  const incus = await startTlsIncus()
  const liar: LyingServer = Object.assign(incus, { lie: {} })
  incus.answer = (message, response) => {
    const call = message.method === 'GET' ? `${message.url}` : `${message.method} ${message.url}`
    const answer = liar.lie[call] ?? TRUTH[call]
    if (answer === undefined)
      sendEnvelope(response, 404, { type: 'error', error_code: 404, error: 'not found' })
    else answer(message, response)
  }
  return liar
}
