/** Talking to one server of the pair as one of its clients, along the routes table. */

import { Readable } from 'node:stream'
import { Agent, request as send, upgrade } from 'undici'
import type { z } from 'zod'
import { openSftp, type Sftp } from '../../relay/engine/files/sftp.ts'
import { type RouteName, request, routes } from '../../shared/incus/routes.ts'
import { type Envelope, envelopeSchema } from './model.ts'
import type { ContractInstance, ContractServer } from './server.ts'

export type Client = keyof ContractServer['clients']

export type Reply = {
  status: number
  headers: Record<string, string | string[] | undefined>
  envelope: Envelope
}

type Call = {
  parameters?: Record<string, string>
  query?: Record<string, string>
  body?: unknown
  client?: Client
  headers?: Record<string, string>
}

export type Side = {
  server: ContractServer
  /** A call of the routes table. */
  ask(route: RouteName, call?: Call): Promise<Reply>
  /** A call of the routes table that is answered by a file, or by an error. */
  file(route: RouteName, call?: Call): Promise<Omit<Reply, 'envelope'> & { bytes: Uint8Array }>
  /** Makes an instance of a file, or a `volume` or a `bucket` in its pool; `cut`: the connection breaks before the file's end. */
  upload(
    name: string,
    file: Uint8Array,
    more?: { pool?: string; cut?: boolean; volume?: true; bucket?: true },
  ): Promise<Reply>
  /** The files of an instance. */
  files(it: ContractInstance, client?: Client): Promise<Sftp>
  /** The files of a custom volume in `default`. */
  volumeFiles(volume: string): Promise<Sftp>
  /** A call past the table, body as it stands. */
  raw(method: string, path: string, body?: string | null, client?: Client): Promise<Reply>
  /** Routes that were asked so far. */
  asked: Set<RouteName>
  close(): Promise<void>
}

export function createSide(server: ContractServer): Side {
  const agents = new Map<Client, Agent>()
  const plainAgents = new Map<Client, Agent>()
  const agentOf = (client: Client): Agent => {
    const known = agents.get(client) ?? createAgent(server, client)
    agents.set(client, known)
    return known
  }
  const call = async (
    method: string,
    path: string,
    body: string | null,
    client: Client,
    headers: Record<string, string> = {},
  ): Promise<Reply> => {
    const dispatcher = agentOf(client)
    const reply = await send(`${server.url}${path}`, { method: method as 'GET', body, headers, dispatcher })
    const text = await reply.body.text()
    const envelope = text === '' ? NO_BODY : envelopeSchema.parse(JSON.parse(text))
    return { status: reply.statusCode, headers: reply.headers, envelope }
  }
  const asked = new Set<RouteName>()
  const open = async (
    route: RouteName,
    parameters: Record<string, string>,
    project: string,
    client: Client,
  ): Promise<Sftp> => {
    asked.add(route)
    const { path } = request(route, parameters, { project })
    // Under HTTP/2 no connection becomes another one.
    const plain = plainAgents.get(client) ?? createAgent(server, client, false)
    plainAgents.set(client, plain)
    const { socket } = await upgrade(`${server.url}${path}`, {
      method: 'GET',
      protocol: 'sftp',
      dispatcher: plain,
    })
    return openSftp(socket)
  }
  return {
    server,
    asked,
    raw: (method, path, body = null, client = 'trusted') => call(method, path, body, client),
    ask: (route, { parameters, query, body, client = 'trusted', headers } = {}) => {
      asked.add(route)
      const { method, path } = request(route, parameters, query, body)
      return call(method, path, body === undefined ? null : JSON.stringify(body), client, headers)
    },
    upload: async (name, file, { pool, cut = false, volume, bucket } = {}) => {
      const route = volume === true ? 'receiveVolume' : bucket === true ? 'receiveBucket' : 'receiveInstance'
      const { path } = request(route, route === 'receiveInstance' ? {} : { pool: server.pool })
      asked.add(route)
      const headers = {
        ...{ 'content-type': 'application/octet-stream', 'x-incus-name': name },
        ...(pool === undefined ? {} : { 'x-incus-pool': pool }),
      }
      const body = Readable.from(sent(file, cut), { objectMode: false })
      const dispatcher = agentOf('trusted')
      const reply = await send(`${server.url}${path}`, { method: 'POST', body, headers, dispatcher })
      const envelope = envelopeSchema.parse(await reply.body.json())
      return { status: reply.statusCode, headers: reply.headers, envelope }
    },
    file: async (route, { parameters, query, client = 'trusted', headers = {} } = {}) => {
      asked.add(route)
      const { method, path } = request(route, parameters, query)
      const dispatcher = agentOf(client)
      const reply = await send(`${server.url}${path}`, { method: method as 'GET', headers, dispatcher })
      const bytes = new Uint8Array(await reply.body.arrayBuffer())
      return { status: reply.statusCode, headers: reply.headers, bytes }
    },
    files: ({ name, project = 'default' }, client = 'trusted') =>
      open('openFiles', { instance: name }, project, client),
    volumeFiles: (volume) => open('openVolumeFiles', { pool: server.pool, volume }, 'default', 'trusted'),
    close: async () => {
      await Promise.all([...agents.values(), ...plainAgents.values()].map((agent) => agent.destroy()))
    },
  }
}

/** All of it, and then perhaps no end. */
async function* sent(file: Uint8Array, cut: boolean): AsyncGenerator<Uint8Array> {
  yield file
  if (cut) throw new Error('it is not what was stored')
}

/** Of HEAD: the envelope exists, but isn't sent. */
const NO_BODY: Envelope = {
  ...{ type: 'error', status: '', status_code: 0, operation: '', error_code: 0, error: '', metadata: null },
}

function createAgent(
  { certificate, fingerprint, clients }: ContractServer,
  client: Client,
  allowH2 = true,
): Agent {
  const checkServerIdentity = (_: string, { fingerprint256 }: { fingerprint256: string }) =>
    fingerprint256.replaceAll(':', '').toLowerCase() === fingerprint
      ? undefined
      : new Error('this is not the pinned certificate')
  const { cert, key } = clients[client]
  // A wait for an operation sends its headers at once and its body at the end.
  return new Agent({ bodyTimeout: 0, allowH2, connect: { ca: certificate, cert, key, checkServerIdentity } })
}

export const routeNames = Object.keys(routes) as RouteName[]

export function readMetadata<S extends z.ZodType>({ status, envelope }: Reply, schema: S): z.infer<S> {
  if (status >= 400 || envelope.type === 'error') throw new Error(`${status} ${envelope.error}`)
  return schema.parse(envelope.metadata)
}
