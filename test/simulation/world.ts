/** The whole product in one process: real run(), real relay engine, embedded Incus, virtual time. */

import { Readable } from 'node:stream'
import { applyConfig } from '../../functions/api/apply.ts'
import type { Relay } from '../../functions/incus/relay.ts'
import type { RelayFiles } from '../../functions/incus/relay-files.ts'
import { type Io, run, type Trigger } from '../../functions/run.ts'
import type { Run } from '../../functions/summary.ts'
import type { End } from '../../relay/engine/bridge.ts'
import { createEngine, type Engine } from '../../relay/engine/engine.ts'
import { createHooks, type Hook } from '../../relay/engine/hooks.ts'
import type { JournalStore } from '../../relay/engine/journal.ts'
import type { EngineRemote, Reply, Upstream } from '../../relay/engine/upstream.ts'
import type { IncusRequest } from '../../shared/incus/routes.ts'
import type { CallError, StepReport } from '../../shared/relay/protocol.ts'
import { err, ok } from '../../shared/result.ts'
import { VERSION } from '../../shared/version.ts'
import { readCertificate } from '../emulator/certificate.ts'
import { Refusal } from '../emulator/envelope.ts'
import { etagOf } from '../emulator/etag.ts'
import type { Version } from '../emulator/faces.ts'
import { ConnectionLost } from '../emulator/faults.ts'
import { cutOff, joinMigrations } from '../emulator/joined.ts'
import { Network } from '../emulator/network.ts'
import { EmbeddedIncus } from '../emulator/server.ts'
import { createCertificate } from '../lab/certificate.ts'
import { type MemoryStores, memoryExports, memoryStores } from './memory-exports.ts'
import { seededRandom } from './random.ts'
import { StaleKv } from './stale-kv.ts'
import { VirtualClock } from './virtual-clock.ts'

export type Remote = 'main' | 'backup'

/** Asked before each call of the relay to Incus; what it names happens to that call. */
export type Weather = (remote: Remote, request: IncusRequest) => 'lost-before' | 'lost-after' | number | null

export type World = {
  clock: VirtualClock
  random: () => number
  incus: Record<Remote, EmbeddedIncus>
  kv: StaleKv
  /** Places whose caches differ; ticks come to any of them. */
  places: Io[]
  weather: { now: Weather }
  /** What was exported. */
  stores: MemoryStores
  /** Of the Worker with the relay. */
  relay: {
    up: boolean
    restart(): void
    kill(): void
    forget(): void
    configure(backup: Rules): void
    swap(): void
  }
  apply(document: unknown): Promise<void>
  tick(at: Date, place?: number, kind?: Trigger['kind']): Promise<Ticked>
  /**
   * Another installation of stapes on the same servers: a state, a relay and a key of its own, or with this
   * one's key.
   */
  install(keyDigest?: string): Installed
  /** Several at the same time, one at each of these places. */
  tickTogether(at: Date, places: readonly number[]): Promise<Ticked[]>
}

/** Of the backup server in the relay's configuration; `minRetention` in seconds. */
type Rules = { role: 'source' | 'target' | 'both'; minRetention: number }

export type Installed = {
  kv: StaleKv
  apply(document: unknown): Promise<void>
  tick(at: Date): Promise<Ticked>
}

/** What came of a tick; `threw` is what the platform would count as a failed invocation. */
export type Ticked = Run | { threw: string }
export type Driver = 'btrfs' | 'dir'

const certificates = {
  main: await createCertificate('main', 'server'),
  backup: await createCertificate('backup', 'server'),
}

export function createWorld({
  start,
  seed = 1,
  drivers = { main: 'btrfs', backup: 'dir' },
  versions = { main: '6.0.4', backup: '6.0.4' },
  names = { main: 'main', backup: 'backup' },
  role = 'target',
  minRetention = 0,
  receives = [],
  receivesThere = [],
  files = false,
  hooks = {},
  hookLog = [],
}: {
  start: Date
  seed?: number
  drivers?: Record<Remote, Driver>
  versions?: Record<Remote, Version>
  /** What the relay's configuration calls them. */
  names?: Record<Remote, string>
  /** Of the backup server in the relay's configuration; `minRetention` in seconds. */
  role?: Rules['role']
  minRetention?: number
  /** Of the source: whose snapshots may become instances in all its projects. */
  receives?: string[]
  /** The same of the backup server. */
  receivesThere?: string[]
  /** Whether files of snapshots may be read, on both. */
  files?: boolean
  /** Commands that the relay may run; looked at whenever it begins. What they write is in `hookLog`. */
  hooks?: Record<string, Hook>
  hookLog?: string[]
}): World {
  const clock = new VirtualClock(start)
  const random = seededRandom(seed)
  const network = new Network()
  const serve = (name: Remote) => {
    const driver = drivers[name]
    const certificate = readCertificate(certificates[name].cert)
    return new EmbeddedIncus({
      ...{ name, driver, clock, network, random, certificate },
      ...{ address: `${name}:8443`, version: versions[name] },
    })
  }
  const incus = { main: serve('main'), backup: serve('backup') }
  const weather: World['weather'] = { now: () => null }
  let isSwapped = false
  const remoteOf = (name: string): Remote => ((name === names.main) !== isSwapped ? 'main' : 'backup')
  const upstream = upstreamOf(incus, clock, weather, remoteOf)
  let rules: Rules = { role, minRetention }
  let life = mortal()
  const stores = memoryStores()
  const begin = (store: JournalStore): Engine => {
    const remotes = {
      [names.main]: { address: 'https://main:8443', role: 'source', receives, files },
      [names.backup]: { address: 'https://backup:8443', receives: receivesThere, files, ...rules },
    } satisfies Record<string, EngineRemote>
    return createEngine({
      ...{ clock, remotes, secret: 'of the relay' },
      ...{ upstream: life.upstream(upstream), store: life.store(store) },
      hooks: createHooks(hooks, (line) => hookLog.push(line)),
      exports: memoryExports(stores, clock, life.isAlive),
    })
  }
  let disk = memoryStore()
  const kv = new StaleKv(clock)
  let engine = begin(disk)
  const relay = {
    up: true,
    restart: () => {
      engine = begin(disk)
    },
    /** As `restart`, but what it was doing goes no further, and nobody hears of it. */
    kill: () => {
      life.end()
      life = mortal()
      engine = begin(disk)
    },
    /** Its configuration is another one after a restart. */
    configure: (backup: Rules) => {
      rules = backup
      engine = begin(disk)
    },
    /** Its configuration has each server under the other's name, after a restart. */
    swap: () => {
      isSwapped = !isSwapped
      engine = begin(disk)
    },
    /** Its disk is lost. */
    forget: () => {
      disk = memoryStore()
      engine = begin(disk)
    },
  }
  const link = relayOf(
    () => (relay.up ? engine : null),
    () => life,
  )
  const readable = filesOf(
    () => (relay.up ? engine : null),
    () => life,
  )
  const places = [0, 1].map((): Io => ({ relay: link, files: readable, state: kv.place(), keyDigest: 'key' }))
  const placeOf = (place: number): Io => places[place % places.length] as Io
  // Its digest comes from another thread, for which the virtual time must stand still.
  const applyTo = async (io: Io, document: unknown): Promise<void> => {
    const applied = await applyConfig(document, io, new Date(clock.now()), false)
    if (!applied.ok) throw new Error(applied.error.detail)
  }
  const tickOf = async (io: Io, at: Date, kind: Trigger['kind'] = 'cron'): Promise<Ticked> => {
    if (clock.now() < at.getTime()) await clock.advance(at)
    return clock.settle(ticked({ kind, at }, io))
  }
  return {
    clock,
    random,
    incus,
    kv,
    places,
    weather,
    stores,
    relay,
    apply: (document) => applyTo(placeOf(0), document),
    tick: (at, place = 0, kind = 'cron') => tickOf(placeOf(place), at, kind),
    install(keyDigest = 'key') {
      const own = begin(memoryStore())
      const kv = new StaleKv(clock)
      const io: Io = { relay: relayOf(() => own, mortal), state: kv.place(), keyDigest }
      return { kv, apply: (document) => applyTo(io, document), tick: (at) => tickOf(io, at) }
    },
    async tickTogether(at, several) {
      if (clock.now() < at.getTime()) await clock.advance(at)
      return clock.settle(Promise.all(several.map((place) => ticked({ kind: 'cron', at }, placeOf(place)))))
    },
  }
}

/** A disk, without the moment between a change and its writing. */
function memoryStore(): JournalStore {
  let written: () => unknown = () => null
  return {
    read: () => JSON.parse(JSON.stringify(written())),
    changed: (state) => {
      written = state
    },
  }
}

/** A process of the relay: once it has ended it sends nothing, hears nothing and writes nothing. */
type Life = {
  end(): void
  isAlive(): boolean
  ended: Promise<void>
  upstream(to: Required<Upstream>): Upstream
  store(disk: JournalStore): JournalStore
}

function mortal(): Life {
  let alive = true
  let die = (): void => {}
  /** What it has in memory later is not on its disk. */
  let keep = (): void => {}
  const ended = new Promise<void>((resolve) => {
    die = resolve
  })
  const never = new Promise<never>(() => {})
  return {
    ended,
    isAlive: () => alive,
    end() {
      keep()
      alive = false
      die()
    },
    upstream: (to) => ({
      async request(...args) {
        if (!alive) return never
        const reply = await to.request(...args)
        return alive ? reply : never
      },
      async fetch(...args) {
        if (!alive) return never
        const reply = await to.fetch(...args)
        return alive ? reply : never
      },
      async bridge(ends, { onData, signal }) {
        if (!alive) return never
        // Its connections go with it.
        const death = new AbortController()
        void ended.then(() => death.abort())
        const joined = await to.bridge(ends, { onData, signal: AbortSignal.any([signal, death.signal]) })
        return alive ? joined : never
      },
      async connect(...args) {
        if (!alive) return never
        const opened = await to.connect(...args)
        if (opened.ok) void ended.then(() => opened.value.destroy())
        return alive ? opened : never
      },
      async upload(remote, request, sent) {
        if (!alive) return never
        const reply = await to.upload(remote, request, {
          ...sent,
          bytes: whileAlive(sent.bytes, () => alive),
        })
        return alive ? reply : never
      },
    }),
    store: (disk) => ({
      read: disk.read,
      changed(state) {
        if (!alive) return
        disk.changed(state)
        keep = () => {
          const last = structuredClone(state())
          disk.changed(() => last)
        }
      },
    }),
  }
}

const ticked = (trigger: Trigger, io: Io): Promise<Ticked> =>
  run(trigger, io).then(
    (ran) => ran,
    (error: unknown) => ({ threw: String(error) }),
  )

function upstreamOf(
  incus: Record<Remote, EmbeddedIncus>,
  clock: VirtualClock,
  weather: World['weather'],
  remoteOf: (name: string) => Remote,
): Required<Upstream> {
  const lost = (code: CallError['code'], message: string) =>
    ({ ok: false, error: { code, message } }) as const
  return {
    async fetch(name, request, from) {
      const remote = remoteOf(name)
      if (weather.now(remote, request) !== null) return lost('timeout', 'no answer')
      try {
        const answer = await incus[remote].handle({
          ...request,
          ...(from === 0 ? {} : { range: `bytes=${from}-` }),
        })
        const { file } = answer
        if (file === undefined)
          return { ok: false, error: { code: 'incus', status: answer.status, message: 'no such file' } }
        return { ok: true, value: { from, size: from + file.length, bytes: onePiece(file) } }
      } catch (error) {
        if (error instanceof ConnectionLost) return lost('timeout', error.message)
        throw error
      }
    },
    async bridge({ source, target }, { onData, signal }) {
      const waiting = (end: End) => ({ ...end, server: incus[remoteOf(end.remote)] })
      try {
        const transfer = joinMigrations(waiting(source), waiting(target))
        transfer.onPart = onData
        signal.addEventListener('abort', () => cutOff(transfer))
        transfer.begin()
        if (signal.aborted) cutOff(transfer)
        await transfer.ended
        return ok(null)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        return err({ code: 'unreachable', message: error.message })
      }
    },
    async connect(name, request) {
      const remote = remoteOf(name)
      if (weather.now(remote, request) !== null) return lost('timeout', 'no answer')
      try {
        const { channel } = await incus[remote].handle(request)
        if (channel === undefined) return lost('incus', 'no connection to files')
        channel.on('error', () => {})
        return ok(channel)
      } catch (error) {
        if (error instanceof ConnectionLost) return lost('timeout', error.message)
        throw error
      }
    },
    async upload(name, request, { name: instance, pool, bytes }) {
      const remote = remoteOf(name)
      const struck = weather.now(remote, request)
      if (struck === 'lost-before') return lost('timeout', 'no answer')
      try {
        const server = incus[remote]
        const life = server.lives
        const chunks: Uint8Array[] = []
        for await (const chunk of bytes) chunks.push(chunk)
        if (server.lives !== life) throw new ConnectionLost('ECONNRESET')
        const upload = { name: instance, pool: pool ?? '', bytes: Buffer.concat(chunks) }
        const { status, body } = await server.handle({ ...request, upload })
        return struck === 'lost-after' ? lost('timeout', 'no answer') : { ok: true, status, body }
      } catch (error) {
        return lost('timeout', String(error))
      }
    },
    async request(name, request, { timeout }) {
      const remote = remoteOf(name)
      const struck = weather.now(remote, request)
      if (struck === 'lost-before') return lost('timeout', 'no answer')
      if (typeof struck === 'number')
        return {
          ok: true,
          status: struck,
          body: { type: 'error', error_code: struck, error: 'Server error' },
        }
      const answer = incus[remote].handle(request).then(
        ({ status, body, tagged }): Reply => ({
          ...{ ok: true, status, body, date: secondOf(incus[remote].now()) },
          ...etagOf(tagged),
        }),
        (error: unknown): Reply => {
          if (!(error instanceof ConnectionLost)) throw error
          return lost(error.code === 'ECONNREFUSED' ? 'unreachable' : 'timeout', error.message)
        },
      )
      let calm = (): void => {}
      const late = new Promise<Reply>((resolve) => {
        calm = clock.after(timeout, () => resolve(lost('timeout', 'too late')))
      })
      const reply = await Promise.race([answer, late])
      calm()
      return struck === 'lost-after' ? lost('timeout', 'no answer') : reply
    },
  }
}

/** The connection goes with the process. */
async function* whileAlive(
  bytes: AsyncIterable<Uint8Array>,
  isAlive: () => boolean,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) yield chunk
  if (!isAlive()) throw new ConnectionLost('ECONNRESET')
}

async function* onePiece(file: Uint8Array): AsyncGenerator<Uint8Array> {
  yield file
}

const secondOf = (ms: number): number => Math.floor(ms / 1000) * 1000

/** The Worker's link to the relay, without HTTP. */
function relayOf(engine: () => Engine | null, life: () => Pick<Life, 'ended'>): Relay {
  const hungUp: CallError = { code: 'timeout', message: 'the relay hung up' }
  const refused: CallError = { code: 'unreachable', message: "the relay can't be reached" }
  return {
    async glance(request) {
      const now = engine()
      return now === null ? err(refused) : ok(await now.glance(request))
    },
    async examine(request) {
      const now = engine()
      if (now === null) return err(refused)
      const exam = await now.examine(request)
      const process = { version: VERSION, at: 0, skew: 0, isShut: true, stores: {} }
      return ok({ ...exam, ...process, certificates: { client: null, remotes: {} } })
    },
    async inventory(request) {
      const now = engine()
      if (now === null) return err(refused)
      return Promise.race([
        now.inventory(request).then((reply) => ok(reply)),
        life().ended.then(() => err(hungUp)),
      ])
    },
    async batch(jobs) {
      const now = engine()
      const answers = new Map<string, 'accepted' | StepReport[]>()
      if (now === null) return { answers, error: refused }
      let error: CallError | null = null
      const all = now.batch({ jobs: [...jobs] }, (line) => {
        if (error === null && 'job' in line)
          answers.set(line.job, 'accepted' in line ? 'accepted' : line.steps)
      })
      await Promise.race([
        all,
        life().ended.then(() => {
          error = hungUp
        }),
      ])
      return { answers, error }
    },
  }
}

/** Likewise, for files. */
function filesOf(engine: () => Engine | null, life: () => Pick<Life, 'ended'>): RelayFiles {
  const hungUp: CallError = { code: 'timeout', message: 'the relay hung up' }
  const refused: CallError = { code: 'unreachable', message: "the relay can't be reached" }
  const within = 25_000
  return {
    async list(wanted) {
      const now = engine()
      if (now === null) return err(refused)
      return Promise.race([
        now.files.list({ ...wanted, do: 'list', within }).then((reply) => ok(reply)),
        life().ended.then(() => err(hungUp)),
      ])
    },
    async get(wanted) {
      const now = engine()
      if (now === null) return err(refused)
      const reply = await Promise.race([
        now.files.get({ ...wanted, do: 'get', within }),
        life().ended.then(() => null),
      ])
      if (reply === null) return err(hungUp)
      if (reply.state !== 'sent') return ok(reply)
      const { itself, size, bytes, leave } = reply.sent
      return ok({ state: 'sent', itself, size, bytes: streamOf(untilLeft(bytes, leave)) })
    },
  }
}

const streamOf = (bytes: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> =>
  Readable.toWeb(Readable.from(bytes, { objectMode: false })) as unknown as ReadableStream<Uint8Array>

async function* untilLeft(bytes: AsyncIterable<Uint8Array>, leave: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes
  } finally {
    leave()
  }
}

/** The relay as the first place reaches it, for callers that don't run the world's time. */
export function settledRelay({ places, clock }: World): Relay {
  const [io] = places
  if (io === undefined) throw new Error('the world has no place')
  const { relay } = io
  return {
    glance: (remotes) => clock.settle(relay.glance(remotes)),
    inventory: (request) => clock.settle(relay.inventory(request)),
    examine: (request) => clock.settle(relay.examine?.(request) ?? Promise.reject(new Error('it can’t'))),
    batch: (jobs) => clock.settle(relay.batch(jobs)),
  }
}
