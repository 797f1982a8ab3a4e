/** All metrics of the relay. */
import { counter, type Family, flag, gauge, single } from '../../shared/metrics/family.ts'
import type { Watch } from '../alarm/watch.ts'
import type { Load } from '../engine/engine.ts'
import type { CertificateEnds } from './certificates.ts'
import type { Meter } from './meter.ts'

type Parts = {
  meter: Meter
  load(): Load
  certificates: Pick<CertificateEnds, 'family'>
  /** Null: nobody watches. */
  watch: Watch | null
}

export function relayFamilies({ meter, load, certificates, watch }: Parts): Family[] {
  return [
    ...meter.families(),
    ...loadFamilies(load()),
    certificates.family(),
    ...edgeFamilies(watch),
    ...processFamilies(),
  ]
}

function loadFamilies({ calls, jobs }: Load): Family[] {
  return [
    gauge(
      'stapes_relay_queue_depth',
      'Calls to the remote that wait for their turn.',
      calls.map(({ remote, waiting }) => ({ labels: { remote }, value: waiting })),
    ),
    gauge(
      'stapes_relay_calls_in_progress',
      'Calls to the remote that are in progress, without the waits of copies.',
      calls.map(({ remote, active }) => ({ labels: { remote }, value: active })),
    ),
    gauge(
      'stapes_relay_jobs',
      'Detached jobs that the relay remembers, such as copies: live ones, and those that ended within a day.',
      STATES.map((state) => ({
        labels: { state },
        value: jobs.filter((job) => job.state === state).length,
      })),
    ),
  ]
}

const STATES = ['queued', 'running', 'done', 'failed', 'unknown'] as const

function edgeFamilies(watch: Watch | null): Family[] {
  const all = watch?.state() ?? []
  return [
    gauge(
      'stapes_relay_edge_heard_timestamp_seconds',
      'When the Worker with that key was last heard from.',
      all.map(({ key, at }) => ({ labels: { key }, value: at / 1000 })),
    ),
    gauge(
      'stapes_relay_edge_silent',
      'Whether it has been silent for longer than it announced.',
      all.map(({ key, silent }) => ({ labels: { key }, value: flag(silent) })),
    ),
  ]
}

function processFamilies(): Family[] {
  const { user, system } = process.cpuUsage()
  return [
    gauge(
      'process_start_time_seconds',
      'When the process started.',
      single(Math.floor(Date.now() / 1000 - process.uptime())),
    ),
    gauge('process_resident_memory_bytes', 'Memory of the process.', single(process.memoryUsage.rss())),
    counter('process_cpu_seconds', 'Processor time of the process.', single((user + system) / 1e6)),
  ]
}
