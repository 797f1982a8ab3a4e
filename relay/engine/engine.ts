/**
 * The relay's calls: glance, inventory, batch and files. It depends only on an upstream, a clock and a store for its journal:
 * the relay passes sockets, the real time and a file, a simulation passes an Incus in memory and virtual time.
 */

import type { Clock } from '../../shared/clock.ts'
import type { RemoteInventory, StoreRules } from '../../shared/incus/inventory.ts'
import { own } from '../../shared/own.ts'
import { MAKING, RESTORING } from '../../shared/policy/marks.ts'
import type { EngineExam, ExamRequest } from '../../shared/relay/exam.ts'
import type {
  BatchLine,
  BatchRequest,
  CallError,
  GlanceReply,
  GlanceRequest,
  InventoryReply,
  InventoryRequest,
  JobReport,
  RemoteReply,
} from '../../shared/relay/protocol.ts'
import { err } from '../../shared/result.ts'
import { createArrivals } from './arrivals.ts'
import { runBatch } from './batch.ts'
import { ADOPT, LOOK } from './bounds.ts'
import { createBusy } from './busy.ts'
import { brokenBy } from './call.ts'
import { judgeCall, type Remotes, unknownRemote } from './call-list.ts'
import { createCancels } from './cancels.ts'
import { createCertificates } from './certificates.ts'
import { createDetached } from './detached.ts'
import { examine } from './examine.ts'
import { type Exports, NO_EXPORTS } from './exports.ts'
import { createClones } from './files/clones.ts'
import { createFiles, type Files } from './files/files.ts'
import type { Clones } from './files/readable.ts'
import { glanceAt } from './glance.ts'
import { endGroup } from './group-end.ts'
import { createGroups, type Groups } from './groups.ts'
import { createHooks, type Hooks } from './hooks.ts'
import { readInventory, type Wanted } from './inventory.ts'
import { createJobMemory, type JobMemory } from './job-memory.ts'
import { createJournal, type JournalStore } from './journal.ts'
import { createLanes } from './lanes.ts'
import { createLimiter, type Limiter } from './limiter.ts'
import { createLocks } from './locks.ts'
import { resume } from './pausing.ts'
import { createPools } from './pools.ts'
import { minRetentionOf, roleOf } from './rules.ts'
import { createSeal, type Seal } from './seal.ts'
import { createSightings } from './sightings.ts'
import { type PoolSpace, watchSpace } from './space.ts'
import type { StepIo } from './steps/step-io.ts'
import { createSuspects } from './suspects.ts'
import { createTemporaries, removeTemporary, type Temporaries } from './temporaries.ts'
import { createUnseenCreates, type UnseenCreates } from './unseen-creates.ts'
import type { Upstream } from './upstream.ts'
import { watchZones } from './zones.ts'

type EngineOptions = {
  upstream: Upstream
  clock: Clock
  remotes: Remotes
  /** Milliseconds for all that is read of one remote. */
  look?: number
  /** Milliseconds for each call of a glance. */
  glance?: number
  /** Only the relay has it: marks that permit something are sealed with it. */
  secret: string
  /** Absent: nothing is remembered over a restart. */
  store?: JournalStore
  /** Absent: nothing is exported. */
  exports?: Exports
  /** Commands that may be run in instances; absent: none. */
  hooks?: Hooks
  /** Puts a meter on detached jobs. */
  meter?(jobs: JobMemory): JobMemory
}

export type Engine = {
  glance(request: GlanceRequest): Promise<GlanceReply>
  inventory(request: InventoryRequest): Promise<InventoryReply>
  /** Resolves after the last line; `onLine` must not throw. */
  batch(request: BatchRequest, onLine: (line: BatchLine) => void): Promise<void>
  files: Files
  /** For the doctor: changes nothing. */
  examine(request: ExamRequest): Promise<EngineExam>
  /** How full the pools are that the last looks have shown. */
  space(): Promise<PoolSpace[]>
}

/** What the relay does at this moment. */
export type Load = {
  calls: { remote: string; active: number; waiting: number }[]
  jobs: Pick<JobReport, 'state'>[]
}

/** While the caller waits: long waits, and a short grace when Incus gives no answer. */
const ATTENDED = { round: 60_000, silence: 30_000 }
/** Rounds are short, because between them the progress is read. */
const DETACHED = { round: 5_000, silence: 300_000 }
const COPIES = 2
/** Exports and checks at once, of all remotes: each takes memory here. */
const EXPORTS = 2

export function createEngine({
  upstream: connection,
  clock,
  remotes,
  secret,
  store,
  look = LOOK,
  glance,
  exports = NO_EXPORTS,
  hooks = createHooks(),
  meter = (jobs) => jobs,
}: EngineOptions): Engine & { load(): Load; close(): Promise<void> } {
  const zones = watchZones(connection)
  const { upstream } = zones
  const journal = createJournal(clock, store)
  const sightings = createSightings(upstream, clock, journal)
  const suspects = createSuspects()
  const creates = createUnseenCreates(clock)
  const locks = createLocks()
  const busy = createBusy()
  const cancels = createCancels()
  const jobs = meter(createJobMemory(clock))
  const seal = createSeal(secret)
  const groups: Groups = createGroups(
    { seal, journal, clock },
    { undo: (group) => endGroup(group, unattended), resume: (ref) => resume(ref, unattended) },
  )
  const unseen: UnseenCreates = {
    ...creates,
    of: (remote) => [...new Set([...creates.of(remote), ...groups.left(remote)])],
  }
  const base = {
    ...{ upstream, clock, remotes, suspects, unseen, journal, sightings, seal, locks, busy, cancels },
    certificates: createCertificates(upstream, clock),
    arrivals: createArrivals(),
    ...{ exports, hooks },
    fetch: upstream.fetch ?? (async (remote) => err(sendsNoFiles(remote))),
    upload: upstream.upload ?? (async (remote) => err(sendsNoFiles(remote))),
    connect: upstream.connect ?? (async (remote) => err(sendsNoFiles(remote))),
  }
  // They work with all that steps work with.
  const clones: Clones = { open: (...wanted) => kept.open(...wanted), close: () => kept.close() }
  const pools = createPools(clock)
  const space = watchSpace()
  const limiters = createLimiters(clock)
  const temporaries: Temporaries = createTemporaries({ seal, journal, clock }, (ref) =>
    removeTemporary(ref, unattended),
  )
  const attended: StepIo = {
    ...base,
    ...{ temporaries, groups, clones },
    timeouts: ATTENDED,
    admit: ({ remote, method, path }, urgent, work) =>
      limiters.of(remote).run({ kind: kindOf(method, path), urgent }, work, judgeCall),
  }
  // Lanes bound the number of copies; under the limiter they would take its places for hours.
  const unattended: StepIo = {
    ...base,
    ...{ temporaries, groups, clones },
    timeouts: DETACHED,
    admit: (_call, _urgent, work) => work(),
  }
  const kept = createClones(unattended)
  const lanes = createLanes((remote) => own(remotes, remote)?.copies ?? COPIES)
  const exportLane = createLanes(() => EXPORTS)
  const detached = createDetached(unattended, locks, { lanes, exportLane }, jobs)
  const see = async (name: string, wanted: Wanted, most: number): Promise<RemoteReply> => {
    if (!Object.hasOwn(remotes, name)) return { ok: false, error: unknownRemote(name, remotes) }
    const io = { upstream, clock, look: most, pools, suspects, unseen, made: journal.made, zones }
    const began = clock.now()
    const reply = await readInventory(io, name, wanted)
    if (!reply.ok) return reply
    const inventory = groups.sweep(name, temporaries.sweep(name, reply.inventory, began))
    sightings.note(name, inventory, began, wanted.volumes && inventory.unlisted === undefined)
    noteUnsealed(name, inventory, seal)
    space.seen(name, Object.keys(inventory.pools))
    return { ok: true, inventory }
  }

  const broken = (cause: unknown): RemoteReply => ({ ok: false, error: brokenBy(cause) })

  return {
    async glance({ remotes: names }) {
      const seen = await Promise.all(
        [...new Set(names)].map(
          async (name) =>
            [
              name,
              Object.hasOwn(remotes, name)
                ? await glanceAt(upstream, name, glance).catch((cause: unknown) => err(brokenBy(cause)))
                : err(unknownRemote(name, remotes)),
            ] as const,
        ),
      )
      return { remotes: Object.fromEntries(seen) }
    },
    async inventory({ remotes: names, config = [], volumes, buckets, adopt = [], within = look }) {
      const most = Math.min(within, look)
      await Promise.all(adopt.map((entry) => detached.adopt(entry, Math.min(ADOPT, most / 4))))
      // Reports are read before the listings, so that these show the result of each job reported as done.
      const reports = detached.reports()
      const replies = await Promise.all(
        [...new Set(names)].map(
          async (name) =>
            [
              name,
              await see(name, { config, volumes: volumes === true, buckets: buckets === true }, most).catch(
                broken,
              ),
            ] as const,
        ),
      )
      const onCopies = sightings.onCopies()
      journal.tidy(onCopies)
      const ruled = replies.map(([name, reply]): [string, RemoteReply] => [
        name,
        reply.ok
          ? withRules(name, reply.inventory, {
              ...{ remotes, exports, hooks, lost: journal.losses.on(name) },
              expired: journal.expiredOn(name, onCopies),
            })
          : reply,
      ])
      return { remotes: Object.fromEntries(ruled), jobs: reports }
    },
    batch: (request, onLine) => runBatch(request, attended, locks, detached, onLine),
    files: createFiles(unattended, clones),
    examine: (request) => examine(request, attended),
    space: () => space.all(upstream),
    /** What was made to read files goes. */
    close: () => clones.close(),
    load: () => ({ calls: limiters.load(), jobs: jobs.reports() }),
  }
}

const sendsNoFiles = (remote: string): CallError => ({
  code: 'export',
  message: `no file can be fetched from "${remote}", or sent there`,
})

/** With the relay's rules for it, and the snapshots of its instances that have expired, or that its copies lost. */
const withRules = (
  name: string,
  inventory: RemoteInventory,
  {
    remotes,
    exports,
    hooks,
    expired,
    lost,
  }: { remotes: Remotes; exports: Exports; hooks: Hooks } & Record<'expired' | 'lost', string[]>,
): RemoteReply => ({
  ok: true,
  inventory: {
    ...inventory,
    rules: {
      ...{ role: roleOf(remotes, name), minRetention: minRetentionOf(remotes, name) },
      ...(exports.stores.length === 0 ? {} : { exports: [...exports.stores], stores: storeRules(exports) }),
      hooks: { ...hooks.names },
    },
    ...(expired.length === 0 ? {} : { expired }),
    ...(lost.length === 0 ? {} : { lost }),
  },
})

const storeRules = ({ stores, minRetention, about }: Exports): Record<string, StoreRules> =>
  Object.fromEntries(stores.map((store) => [store, { minRetention: minRetention(store), ...about(store) }]))

/** A mark of a restore, or of a new instance, that this relay didn't make permits nothing. */
function noteUnsealed(remote: string, { instances, buckets = [] }: RemoteInventory, seal: Seal): void {
  for (const record of [...instances, ...buckets]) {
    const { project, name, own: keys, config } = record
    const texts = [RESTORING, MAKING].map((key) => (keys.includes(key) ? (own(config, key) ?? '') : ''))
    const isStrange = (text: string): boolean =>
      text !== '' && !seal.isOn({ remote, project, instance: name }, text)
    if (texts.some(isStrange)) record.unsealed = true
  }
}

function createLimiters(clock: Clock): { of(remote: string): Limiter; load(): Load['calls'] } {
  const limiters = new Map<string, Limiter>()
  return {
    of(remote) {
      const limiter = limiters.get(remote) ?? createLimiter(clock)
      limiters.set(remote, limiter)
      return limiter
    },
    load: () => [...limiters].map(([remote, limiter]) => ({ remote, ...limiter.load() })),
  }
}

/** Calls whose rates are comparable: the same method on the same kind of path. */
const kindOf = (method: string, path: string): string => `${method} ${path.split('?')[0]?.split('/').length}`
