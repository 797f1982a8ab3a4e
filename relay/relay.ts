/** Puts a relay together and runs it until it is closed. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AlarmConfig, NO_ALARM } from './alarm/alarm-schema.ts'
import { startWatch } from './alarm/start-watch.ts'
import { createAuthenticate, type Keys } from './authenticate.ts'
import { createEngine } from './engine/engine.ts'
import { createHooks, type Hook } from './engine/hooks.ts'
import type { Emit } from './events.ts'
import { createExamine, noteSpace } from './examine.ts'
import { createExports } from './export/exports.ts'
import { openIdentities } from './export/identities.ts'
import type { StoreConfig } from './export/stores-schema.ts'
import { openUnfinished } from './export/unfinished.ts'
import { openJournal } from './journal-file.ts'
import { createCertificateEnds } from './metrics/certificates.ts'
import { createMeter } from './metrics/meter.ts'
import { meteredJobs, meteredUpstream } from './metrics/metered.ts'
import { relayFamilies } from './metrics/relay-families.ts'
import { createScrape } from './metrics/scrape.ts'
import type { ClientCertificate } from './pinning.ts'
import { createRelayServer } from './server.ts'
import { openSpaceHistory } from './space-history.ts'
import { createSystemClock } from './system-clock.ts'
import { createUpstreams, type RemoteConfig } from './upstreams.ts'

export type RelayOptions = {
  /** Port 0 takes a free one. */
  listen: { host: string; port: number }
  keys: Keys
  client: ClientCertificate
  remotes: Record<string, RemoteConfig>
  /** Where the relay keeps its journal; absent: nothing is remembered over a restart. */
  journalFile?: string
  /** The stores that it may export to, by name. */
  exports?: Record<string, StoreConfig>
  /** Commands that it may run in instances, by name. */
  hooks?: Record<string, Hook>
  /** Whom the relay tells that the edge is silent. */
  alarm?: AlarmConfig
  /** Absent: it gives no metrics. */
  metrics?: { token: string }
  log?: (line: string) => void
  /** What happened, for machines. */
  emit?: Emit
}

export type Relay = { url: string; close(): Promise<void> }

/** How long requests in progress may take to end at a stop, in milliseconds. */
const FAREWELL = 5_000

/** Milliseconds. */
const HOUR = 3_600_000

/** From so many milliseconds on, a caller's clock that is ahead is logged. */
const AHEAD = 3_000

export async function startRelay({
  listen,
  keys,
  client,
  remotes,
  journalFile,
  exports: stores = {},
  hooks,
  alarm,
  metrics,
  log = () => {},
  emit = () => {},
}: RelayOptions): Promise<Relay> {
  const startedAt = await nextSecond()
  const meter = createMeter()
  const certificates = createCertificateEnds(client.certificate)
  const upstreams = createUpstreams(remotes, client, log, certificates.seen)
  const clock = createSystemClock()
  const journal = journalFile === undefined ? undefined : openJournal(journalFile, log)
  const beside = (what: string) => journalFile?.replace(/(\.json)?$/, `-${what}.json`) ?? null
  const unfinished = openUnfinished(beside('exports'), log)
  const exports = createExports(
    stores,
    {
      unfinished,
      identities: openIdentities(beside('stores'), log),
    },
    log,
  )
  const engine = createEngine({
    ...{ exports, hooks: createHooks(hooks, log) },
    ...{ clock, remotes, secret: secretOf(client) },
    upstream: meteredUpstream(upstreams, meter, clock.now),
    meter: (jobs) => meteredJobs(jobs, meter, clock, emit),
    ...(journal === undefined ? {} : { store: journal }),
  })
  const isWatched = alarm !== undefined || metrics !== undefined
  const watching = isWatched
    ? startWatch(alarm ?? NO_ALARM, { engine, clock, keys, remotes, journalFile, log })
    : null
  const watch = watching?.watch ?? null
  const families = () => relayFamilies({ meter, certificates, watch, load: engine.load })
  const known = {
    ...{ engine, certificates, stores, now: clock.now },
    unfinished: unfinished.all,
    history: openSpaceHistory(beside('space'), log),
  }
  const hourly = setInterval(() => void noteSpace(known), HOUR).unref()
  const stopping = new AbortController()
  const server = createRelayServer({
    engine,
    examine: createExamine(known),
    ...{ meter, emit },
    ...(watching === null ? {} : { heard: watching.watch.heard }),
    ...(metrics === undefined ? {} : { scrape: createScrape(metrics.token, families) }),
    authenticate: createAuthenticate(keys, startedAt, seconds),
    reach: (second) => reach(second, stopping.signal, log),
    log,
  })
  void exports.clear()
  void exports.checkLocks()
  server.listen(listen.port, listen.host)
  await once(server, 'listening')
  return {
    url: urlOf(server),
    async close() {
      stopping.abort()
      clearInterval(hourly)
      await closeServer(server)
      await Promise.race([engine.close(), sleep(FAREWELL, undefined, { ref: false })])
      watching?.close()
      clock.stop()
      journal?.close()
      await upstreams.close()
      await exports.close()
    },
  }
}

/** It seals the marks that permit something: who has the client's key may do these things anyway. */
const secretOf = ({ key }: ClientCertificate): string =>
  createHash('sha256').update('stapes marks ').update(key).digest('hex')

const seconds = (): number => Math.floor(Date.now() / 1000)

/**
 * A signature's time has whole seconds, and those that the relay may have seen before a restart are refused. So
 * it starts at the next full second, and no request signed after the start is refused.
 */
async function nextSecond(): Promise<number> {
  const next = seconds() + 1
  while (seconds() < next) await sleep(next * 1000 - Date.now())
  return next
}

async function reach(second: number, stopping: AbortSignal, log: (line: string) => void): Promise<boolean> {
  const ahead = second * 1000 - Date.now()
  if (ahead >= AHEAD) log(`a request was signed ${Math.ceil(ahead / 1000)} s ahead of this clock and waits`)
  try {
    // A timer may go off a millisecond early.
    while (Date.now() < second * 1000)
      await sleep(second * 1000 - Date.now(), undefined, { signal: stopping })
    return true
  } catch {
    return false
  }
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  const last = setTimeout(() => server.closeAllConnections(), FAREWELL)
  await closed
  clearTimeout(last)
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
