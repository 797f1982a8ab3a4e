/**
 * The relay's two calls besides forwarding: inventory and batch. It depends only on an upstream and a clock:
 * the relay passes sockets and the real time, a simulation passes an Incus in memory and virtual time.
 */

import type { Clock } from '../../shared/clock.ts'
import { own } from '../../shared/own.ts'
import type {
  BatchLine,
  BatchRequest,
  InventoryReply,
  InventoryRequest,
  RemoteReply,
} from '../../shared/relay/protocol.ts'
import { runBatch } from './batch.ts'
import { LOOK } from './bounds.ts'
import { createCertificates } from './certificates.ts'
import { createDetached } from './detached.ts'
import { readInventory } from './inventory.ts'
import { type JobIo, judgeStep, type Remotes, unknownRemote } from './job.ts'
import { createJobMemory } from './job-memory.ts'
import { createLanes } from './lanes.ts'
import { createLimiter, type Limiter } from './limiter.ts'
import { createLocks } from './locks.ts'
import { createPools } from './pools.ts'
import { createSuspects } from './suspects.ts'
import { createUnseenCreates } from './unseen-creates.ts'
import type { Upstream } from './upstream.ts'
import { createVerifiedMemory } from './verified-memory.ts'

type EngineOptions = {
  upstream: Upstream
  clock: Clock
  remotes: Remotes
  /** Milliseconds for all that is read of one remote. */
  look?: number
}

export type Engine = {
  inventory(request: InventoryRequest): Promise<InventoryReply>
  /** Resolves after the last line; `onLine` must not throw. */
  batch(request: BatchRequest, onLine: (line: BatchLine) => void): Promise<void>
}

/** While the caller waits: long waits, and a short grace when Incus gives no answer. */
const ATTENDED = { round: 60_000, silence: 30_000 }
/** Rounds are short, because between them the progress is read. */
const DETACHED = { round: 5_000, silence: 300_000 }
const COPIES = 2

export function createEngine({ upstream, clock, remotes, look = LOOK }: EngineOptions): Engine {
  const verified = createVerifiedMemory()
  const suspects = createSuspects()
  const unseen = createUnseenCreates(clock)
  const base = {
    upstream,
    clock,
    remotes,
    verified,
    suspects,
    unseen,
    certificates: createCertificates(upstream, clock),
  }
  const pools = createPools(clock)
  const limiters = createLimiters(clock)
  const attended: JobIo = {
    ...base,
    timeouts: ATTENDED,
    admit: ({ remote, method, path }, urgent, work) =>
      limiters(remote).run({ kind: kindOf(method, path), urgent }, work, judgeStep),
  }
  // Lanes bound the number of copies; under the limiter they would take its places for hours.
  const unattended: JobIo = { ...base, timeouts: DETACHED, admit: (_step, _urgent, work) => work() }
  const locks = createLocks()
  const lanes = createLanes((remote) => own(remotes, remote)?.copies ?? COPIES)
  const detached = createDetached(unattended, locks, lanes, createJobMemory(clock))

  return {
    async inventory({ remotes: names, config = [], adopt = [] }) {
      await Promise.all(adopt.map((entry) => detached.adopt(entry)))
      // Reports are read before the listings, so that these show the result of each job reported as done.
      const jobs = detached.reports()
      const replies = await Promise.all(
        names.map(
          async (name): Promise<[string, RemoteReply]> => [
            name,
            Object.hasOwn(remotes, name)
              ? await readInventory({ upstream, clock, look, pools, suspects, unseen }, name, config)
              : { ok: false, error: unknownRemote(name, remotes) },
          ],
        ),
      )
      for (const [name, reply] of replies) if (reply.ok) verified.note(name, reply.inventory)
      return { remotes: Object.fromEntries(replies), jobs }
    },
    batch: (request, onLine) => runBatch(request, attended, locks, detached, onLine),
  }
}

function createLimiters(clock: Clock): (remote: string) => Limiter {
  const limiters = new Map<string, Limiter>()
  return (remote) => {
    const limiter = limiters.get(remote) ?? createLimiter(clock)
    limiters.set(remote, limiter)
    return limiter
  }
}

/** Calls whose rates are comparable: the same method on the same kind of path. */
const kindOf = (method: string, path: string): string => `${method} ${path.split('?')[0]?.split('/').length}`
