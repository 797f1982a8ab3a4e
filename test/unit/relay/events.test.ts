/** The relay's log for machines. */
import { expect, test } from 'vitest'
import { fitJobs } from '../../../functions/incus/fit-jobs.ts'
import { createJobMemory } from '../../../relay/engine/job-memory.ts'
import { eventLine, type RelayEvent } from '../../../relay/events.ts'
import { createMeter } from '../../../relay/metrics/meter.ts'
import { meteredJobs } from '../../../relay/metrics/metered.ts'
import { parseBatch } from '../../../relay/requests.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

const AT = new Date('2026-11-22T05:30:00Z')

test('an event is one line of JSON, whatever names are in it', () => {
  const message = 'a"\n{"event":"batch"}\u001b[2J\u202e ü'
  const line = eventLine({ event: 'message', message }, AT)
  expect(line).toMatch(/^[\x20-\x7e]+$/)
  expect(JSON.parse(line)).toEqual({ at: AT.toISOString(), event: 'message', message })
})

test('the end of a copy is one, with its job, how long it took and what it brought', async () => {
  const clock = new VirtualClock(0)
  const events: RelayEvent[] = []
  const jobs = meteredJobs(createJobMemory(clock), createMeter(), clock, (event) => void events.push(event))
  const job = 'main/default/web>backup/default/web:j1'
  jobs.begin({ id: job })
  jobs.change(job, { state: 'running' })
  await clock.advance(5_000)
  jobs.change(job, { progress: 'rootfs: 820B (1B/s)' })
  jobs.change(job, { state: 'unknown' })
  expect(events).toEqual([{ event: 'copy', job, state: 'unknown', ms: 5_000, bytes: 820 }])
})

test('the Worker names its run, and the relay takes no more than a name', () => {
  const [body = ''] = fitJobs([], { run: 'b5f2', record: 'who' }).bodies
  expect(parseBatch(Buffer.from(body))).toEqual({ ok: true, value: { jobs: [], run: 'b5f2', record: 'who' } })
  expect(parseBatch(Buffer.from('{"jobs":[],"run":"a b"}')).ok).toBe(false)
})
