import { describe, expect, test } from 'vitest'
import type { Work } from '../../../shared/ledger/work.ts'
import type { JobReport } from '../../../shared/relay/protocol.ts'
import { afterStart, failedTry, isLast, jobsOf, reportOn, seenRunning } from '../../../shared/work/life.ts'

const NOW = new Date('2026-11-22T10:00:00.000Z')
const THEN = '2026-11-22T09:00:00.000Z'
const KEY = 'drill main/default/web1'
const ENTRY: Work = { state: 'running', job: `${KEY}:1`, operation: 'o', attempts: 1, at: THEN }
const FINITE = { tries: 3, minutes: (failed: number) => failed * 10, longest: 30 }
const ENDLESS = { ...FINITE, tries: null }
const report = (id: string, state: JobReport['state'], more: object = {}): JobReport => ({
  ...{ id: `${KEY}:${id}`, state, since: THEN },
  ...more,
})

describe('a try that failed', () => {
  const failure = { state: 'unknown', reason: 'why', now: NOW } as const

  test('is made again after its time, and told where it is tried for ever', () => {
    const retryAt = '2026-11-22T10:20:00.000Z'
    expect(failedTry(ENTRY, failure, ENDLESS)).toMatchObject({ state: 'unknown', attempts: 2, retryAt })
    expect(failedTry(ENTRY, failure, FINITE)).toMatchObject({ state: 'running', attempts: 2, retryAt })
  })

  test('is the last one after so many, or where another can’t help', () => {
    const last = { ...ENTRY, attempts: 2 }
    expect(isLast(last, FINITE)).toBe(true)
    expect(failedTry(last, failure, FINITE)).toMatchObject({ state: 'failed', attempts: 3, reason: 'why' })
    expect(failedTry(last, failure, FINITE).retryAt).toBeUndefined()
    expect(failedTry(ENTRY, { ...failure, permanent: true }, FINITE).state).toBe('failed')
    expect(isLast({ ...last, attempts: 20 }, ENDLESS)).toBe(false)
    expect(isLast(last, FINITE, 1)).toBe(false)
  })
})

describe('work that is seen to run', () => {
  test('has changed its state when it begins, and not each minute', () => {
    const first = seenRunning({ ...ENTRY, state: 'started' }, report('1', 'running'), NOW)
    expect(first).toMatchObject({ state: 'running', at: NOW.toISOString() })
    expect(seenRunning(ENTRY, report('1', 'running'), NOW).at).toBe(THEN)
    expect(seenRunning(ENTRY, report('1', 'running', { operation: 'o', remote: 'main' }), NOW).at).toBe(THEN)
    expect(seenRunning(ENTRY, report('1', 'running', { operation: 'p' }), NOW).at).toBe(NOW.toISOString())
    expect(seenRunning(ENTRY, report('2', 'running'), NOW).at).toBe(NOW.toISOString())
  })
})

describe('of the reports about it', () => {
  test('one that runs tells how it is, then the noted one', () => {
    const jobs = [report('1', 'failed'), report('2', 'queued'), { ...report('3', 'running'), id: 'other:3' }]
    expect(reportOn(KEY, ENTRY, jobs)?.id).toBe(`${KEY}:2`)
    expect(reportOn(KEY, ENTRY, jobs.slice(0, 1))?.id).toBe(`${KEY}:1`)
  })

  test('the newest tells it where nothing is noted, or where it ended well', () => {
    const other = { ...ENTRY, job: `${KEY}:0` }
    expect(reportOn(KEY, undefined, [report('1', 'failed')])?.id).toBe(`${KEY}:1`)
    expect(reportOn(KEY, other, [report('1', 'failed')])).toBeNull()
    expect(reportOn(KEY, other, [report('1', 'done')])?.id).toBe(`${KEY}:1`)
  })
})

describe('after its job was sent', () => {
  const action = { kind: 'drill', reason: '' }
  const planned: Work = { ...ENTRY, state: 'started' }
  const how = { now: NOW, policy: ENDLESS }

  test('it began, or perhaps it did', () => {
    expect(afterStart(planned, ENTRY, { action, state: 'done' }, how)).toBe(planned)
    expect(afterStart(planned, ENTRY, { action, state: 'unknown', reason: '' }, how)).toBe(planned)
  })

  test('it failed where the relay refused it, but not where another job is at work', () => {
    const refused = (code: 'locked' | 'bad-request') =>
      ({ action, state: 'refused', error: { code, message: 'no' } }) as const
    expect(afterStart(planned, ENTRY, refused('bad-request'), how)).toMatchObject({
      state: 'failed',
      attempts: 2,
    })
    expect(afterStart(planned, ENTRY, refused('locked'), how)).toBe(ENTRY)
    expect(afterStart(planned, undefined, refused('locked'), how)).toBeNull()
  })
})

test('a volume’s job is none of an instance that is called like its pool', () => {
  const instance = 'restore main/default/data'
  const own = { ...report('', 'running'), id: `${instance}:before-restore-20261122T0900Z#0` }
  const volumes = { ...report('', 'running'), id: `${instance}:old:before-restore-20261122T0900Z#0` }
  expect(jobsOf(instance, [own, volumes])).toEqual([own])
  expect(jobsOf(`${instance}:old`, [own, volumes])).toEqual([volumes])
})
