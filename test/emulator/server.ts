/** An Incus in memory: the API as stapes uses it, of 6.0.4 or 7.0.2, its traps included, on a clock that is handed in. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../../shared/clock.ts'
import { type Access, accessOf, checkAccess, type TrustedCertificate } from './auth.ts'
import type { Certificate } from './certificate.ts'
import type { VolumeTransfer } from './custom-transfer.ts'
import { Refusal, type Reply, refused } from './envelope.ts'
import { plainGuest, type Ran } from './execs.ts'
import { type Face, faces, type Version } from './faces.ts'
import { ConnectionLost, type Cut, type Fault } from './faults.ts'
import { createRouter, type Handler } from './handlers.ts'
import type { Migration } from './migration.ts'
import type { Network } from './network.ts'
import { Operations } from './operations.ts'
import { parseQuery, type Router } from './router.ts'
import { Scheduler } from './scheduler.ts'
import { type Custom, cutOff, findPool, type Instance, newState, type Pool, type State } from './state.ts'
import type { Transfer } from './transfer.ts'

type EmbeddedOptions = {
  /** Host name it reports; not an identity. */
  name: string
  clock: Clock
  /** 0 up to 1; the source of all ids, secrets and nanoseconds. */
  random: () => number
  network: Network
  driver: 'btrfs' | 'dir'
  certificate: Certificate
  /** 6.0.4 unless told otherwise. */
  version?: Version
  /** `host:port` under which the other servers dial it; may be set later, when a port is known. */
  address?: string
  /** Bytes a second that transfers out of this server may send; null is no limit. */
  bandwidth?: number | null
  /** How long snapshots and restores take, and what a copy takes besides the sending of its bytes. */
  snapshotMs?: number
  restoreMs?: number
  copyMs?: number
}

/** `body` is the parsed JSON; `client` is who asks (see `accessOf`), absent means the server's own socket. */
export type EmbeddedRequest = {
  method: string
  path: string
  body?: unknown
  client?: string | null
  ifMatch?: string
  range?: string
  /** A file instead of a body. */
  upload?: Upload
}

/** With what its headers name. */
export type Upload = { name: string; pool: string; bytes: Uint8Array }

/** `later` is the body of an answer whose headers go out at once; `channel`: what its connection becomes. */
export type Answer = Reply & { later?: Promise<unknown>; channel?: Duplex }

export type Call = {
  parameters: Record<string, string>
  query: Record<string, string>
  project: string
  body: unknown
  ifMatch: string | undefined
  range: string | undefined
  upload: Upload | undefined
  access: Access
}

/** A body that isn't JSON. */
export class Malformed {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export class EmbeddedIncus {
  readonly options: EmbeddedOptions
  readonly state: State
  readonly operations: Operations
  readonly scheduler: Scheduler
  readonly trusted = new Map<string, TrustedCertificate>()
  /** Operations that wait for the other server to connect, and copies under way in or out. */
  readonly migrations = new Map<string, Migration>()
  readonly transfers = new Set<Transfer>()
  readonly volumeTransfers = new Set<VolumeTransfer>()
  /** Connections to files, at this end, and whose files these are. */
  readonly channels = new Map<Duplex, Instance | Custom>()
  /** Calls that are answered only once they are done: how each ends where the server dies. */
  readonly blocked = new Set<(error: ConnectionLost) => void>()
  /** Restores under way, each with what waits for its end. */
  readonly restores = new Map<Instance, (() => void)[]>()
  /** It says that it is one; all of it is on one member. */
  clustered = false
  /** Cluster members that can't be reached. */
  readonly lostMembers = new Set<string>()
  /** How a command in an instance ends. */
  guest: (instance: Instance, command: readonly string[]) => Ran = plainGuest
  /** `host:port` of its own server for buckets; empty: it has none. */
  bucketsAddress = ''
  /** How it answers. */
  face: Face
  phase: 'up' | 'starting' | 'stopping' | 'down' = 'up'
  bandwidth: number | null
  snapshotMs: number
  restoreMs: number
  copyMs: number
  address: string
  /** Milliseconds that its clock is ahead of the true time. */
  skewMs = 0
  /** Asked about each request; null lets it pass. */
  faults: (request: EmbeddedRequest) => Fault | null = () => null
  readonly #router: Router<Handler> = createRouter()
  #life = 0
  #sabotage: string | null = null

  constructor(options: EmbeddedOptions) {
    this.options = options
    this.face = faces[options.version ?? '6.0.4']
    this.state = newState(options.driver)
    this.bandwidth = options.bandwidth ?? null
    this.snapshotMs = options.snapshotMs ?? 0
    this.restoreMs = options.restoreMs ?? 0
    this.copyMs = options.copyMs ?? 0
    this.address = options.address ?? ''
    if (this.address !== '') options.network.register(this.address, this)
    this.operations = new Operations({
      now: () => this.now(),
      after: (ms, run) => this.after(ms, run),
      uuid: () => this.uuid(),
      sabotage: () => this.#takeSabotage(),
      face: () => this.face,
    })
    this.scheduler = new Scheduler(this)
    this.scheduler.start()
  }

  /** How often it was killed. */
  get lives(): number {
    return this.#life
  }

  now(): number {
    return this.options.clock.now() + this.skewMs
  }

  /** A timer of this life of the daemon: a kill ends it unheard. */
  after(ms: number, run: () => void): () => void {
    const life = this.#life
    return this.options.clock.after(ms, () => {
      if (this.#life === life) run()
    })
  }

  hex(digits: number): string {
    let text = ''
    while (text.length < digits)
      text += Math.floor(this.options.random() * 0x10000)
        .toString(16)
        .padStart(4, '0')
    return text.slice(0, digits)
  }

  uuid(): string {
    const hex = this.hex(32)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
  }

  /** Becomes known under `host:port`, once that is decided. */
  listenAs(address: string): void {
    this.address = address
    this.options.network.register(address, this)
  }

  /** The whole answer, in process. Rejects with `ConnectionLost` where a socket would break. */
  async handle(request: EmbeddedRequest): Promise<Reply & { channel?: Duplex }> {
    const answer = await this.answer(request)
    return answer.later === undefined ? answer : { ...answer, body: await answer.later }
  }

  async answer(request: EmbeddedRequest): Promise<Answer> {
    if (this.phase === 'down') throw new ConnectionLost('ECONNREFUSED')
    const fault = this.faults(request)
    if (fault === null) return this.#dispatch(request)
    const life = this.#life
    if (fault.delayMs !== undefined) await this.#sleep(fault.delayMs)
    if (this.#life !== life) throw new ConnectionLost('ECONNRESET')
    if (fault.before !== undefined) return cutShort(fault.before)
    this.#sabotage = fault.operation ?? null
    const answer = this.#dispatch(request)
    this.#sabotage = null
    return fault.after === undefined ? answer : cutShort(fault.after)
  }

  #dispatch(request: EmbeddedRequest): Answer | Promise<Answer> {
    try {
      const at = request.path.indexOf('?')
      const path = at < 0 ? request.path : request.path.slice(0, at)
      const { value: handler, parameters } = this.#router.find(request.method, path)
      const query = at < 0 ? {} : parseQuery(request.path.slice(at + 1))
      const project = query.project ?? 'default'
      const access = accessOf(this.trusted, request.client === undefined ? 'unix' : request.client)
      const isEverywhere = query['all-projects'] === 'true'
      checkAccess(access, handler.right, project, isEverywhere || this.face.keepsToItself)
      this.#checkPhase(request.method)
      if (request.body instanceof Malformed) throw new Refusal(400, request.body.text)
      const answer = handler.answer(this, {
        parameters,
        query,
        project,
        body: request.body,
        ifMatch: request.ifMatch,
        range: request.range,
        upload: request.upload,
        access,
      })
      return answer instanceof Promise ? answer.catch(refusedLate) : answer
    } catch (error) {
      if (error instanceof Refusal) return refused(error)
      throw error
    }
  }

  #checkPhase(method: string): void {
    if (this.phase === 'starting') throw new Refusal(503, 'Daemon is starting up')
    if (this.phase === 'stopping' && method !== 'GET') throw new Refusal(503, 'Shutting down')
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.options.clock.after(ms, resolve))
  }

  #takeSabotage(): string | null {
    const text = this.#sabotage
    this.#sabotage = null
    return text
  }

  /** The power cut: operations and timers are gone, copies break off, what was half written stays. */
  kill(): void {
    if (this.phase === 'down') return
    this.phase = 'down'
    this.#life++
    this.operations.forget(new ConnectionLost('ECONNRESET'))
    for (const end of this.blocked) end(new ConnectionLost('ECONNRESET'))
    this.blocked.clear()
    for (const transfer of [...this.transfers]) transfer.serverDied(this)
    this.transfers.clear()
    for (const transfer of [...this.volumeTransfers]) transfer.serverDied(this)
    this.volumeTransfers.clear()
    for (const channel of this.channels.keys()) channel.destroy()
    this.migrations.clear()
    this.restores.clear()
    for (const { instances } of this.state.projects.values())
      for (const instance of instances.values()) abandon(instance, findPool(this.state, instance.pool))
    for (const { volumes, driver } of this.state.pools.values())
      for (const { snapshots } of volumes.values())
        for (const snapshot of snapshots.values()) {
          if (snapshot.inMaking && driver === 'dir') snapshot.disk = cutOff(snapshot.disk)
          snapshot.inMaking = false
        }
  }

  /** The daemon is replaced by another version's on the same data. */
  upgrade(version: Version): void {
    this.kill()
    this.face = faces[version]
    this.start()
  }

  /** Boots again with what was stored. */
  start(): void {
    if (this.phase === 'up') return
    this.phase = 'up'
    this.scheduler.start()
  }
}

/** An instance after a kill: nothing holds it any more, what was in the making has no data, on dir not all of it. */
function abandon(instance: Instance, { driver }: Pool): void {
  instance.busy = null
  for (const snapshot of instance.snapshots.values()) {
    if (snapshot.inMaking && driver === 'dir') snapshot.disk = cutOff(snapshot.disk)
    snapshot.inMaking = false
  }
}

function refusedLate(error: unknown): Answer {
  if (error instanceof Refusal) return refused(error)
  throw error
}

function cutShort(cut: Cut): Promise<Answer> {
  if (cut === 'refuse') return Promise.reject(new ConnectionLost('ECONNREFUSED'))
  if (cut === 'reset') return Promise.reject(new ConnectionLost('ECONNRESET'))
  if (cut === 'hang') return new Promise(() => {})
  return Promise.resolve(refused(new Refusal(cut.status, cut.error)))
}
