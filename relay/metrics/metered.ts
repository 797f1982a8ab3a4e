/** The relay's parts with a meter on them. */

import { bytesOfProgress } from '../../shared/chat/age.ts'
import type { Clock } from '../../shared/clock.ts'
import { remoteOf } from '../../shared/incus/subject.ts'
import { kindIn, targetIn, workOfJob } from '../../shared/ledger/work.ts'
import { COPY } from '../../shared/work/copy/entry.ts'
import type { JobMemory } from '../engine/job-memory.ts'
import type { Upstream } from '../engine/upstream.ts'
import type { Emit } from '../events.ts'
import type { Meter } from './meter.ts'

export function meteredUpstream<Kind extends Upstream>(
  upstream: Kind,
  meter: Meter,
  now: () => number,
): Kind {
  return {
    ...upstream,
    async request(remote, request, options) {
      const began = now()
      const reply = await upstream.request(remote, request, options)
      const method = /^[^?]*\/wait(\?|$)/.test(request.path) ? 'WAIT' : request.method
      meter.time('stapes_relay_incus_request_duration_seconds', { remote, method }, now() - began)
      if (!reply.ok) meter.add('stapes_relay_incus_errors', { remote, code: reply.error.code })
      else if (reply.status >= 500)
        meter.add('stapes_relay_incus_errors', { remote, code: `${reply.status}` })
      return reply
    },
  }
}

/** Copies, from when it is their turn until their end. */
export function meteredJobs(jobs: JobMemory, meter: Meter, clock: Clock, emit: Emit = () => {}): JobMemory {
  const running = new Map<string, { began: number; bytes: number }>()
  return {
    ...jobs,
    change(id, change) {
      jobs.change(id, change)
      const target = copyTarget(id)
      if (target === null) return
      const known = running.get(id) ?? { began: clock.now(), bytes: 0 }
      if (change.progress !== undefined) known.bytes = Math.max(known.bytes, bytesOfProgress(change.progress))
      const { state } = change
      if (state === undefined || state === 'queued' || state === 'running') {
        running.set(id, known)
        return
      }
      if (!running.delete(id)) return
      const ms = clock.now() - known.began
      meter.time('stapes_relay_transfer_duration_seconds', { target, outcome: state }, ms)
      meter.add('stapes_relay_transferred_bytes', { target }, known.bytes)
      emit({ event: 'copy', job: id, state, ms, bytes: known.bytes })
    },
  }
}

/** The remote that a copy goes to; null: the job is none. */
function copyTarget(id: string): string | null {
  const work = workOfJob(id)
  return work !== null && kindIn(work) === COPY ? remoteOf(targetIn(work)) : null
}
