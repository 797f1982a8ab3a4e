/** What the Worker’s metrics say. */
import { describe, expect, test } from 'vitest'
import { createApp } from '../../../functions/app.ts'
import type { Env } from '../../../functions/env.ts'
import { factsWith, HOURLY, ledgerWith, NOW, pairAt, scrape, stored, WEB } from './edge-at.ts'

const SNAPSHOT = `{kind="snapshot",policy="hourly",subject="${WEB}"}`
const COPY = `{kind="copy",policy="hourly",subject="${WEB}",target="backup/default/web"}`
const KEPT = factsWith({ hourly: { [WEB]: { taken: pairAt('05:00:12'), copied: pairAt('05:00:12') } } })

describe('a promise', () => {
  test('that is kept says until when, and how old the newest one is', async () => {
    const text = await scrape({ facts: KEPT })
    expect(text).toContain('stapes_health{tone="good"} 1\n')
    expect(text).toContain(`stapes_promise_kept${SNAPSHOT} 1\n`)
    expect(text).toContain(`stapes_promise_kept${COPY} 1\n`)
    expect(text).toContain(
      `stapes_promise_until_timestamp_seconds${SNAPSHOT} ${Date.parse('2026-11-22T07:00:00Z') / 1000}\n`,
    )
    expect(text).toContain(`stapes_newest_age_seconds${COPY} 1788\n`)
  })

  test('that is broken is neither kept nor pending nor unknown', async () => {
    const facts = factsWith({ hourly: { [WEB]: { taken: pairAt('05:00:12'), copied: pairAt('01:00:12') } } })
    const text = await scrape({ facts })
    expect(text).toContain('stapes_health{tone="bad"} 1\n')
    for (const name of ['kept', 'pending', 'unknown'])
      expect(text).toContain(`stapes_promise_${name}${COPY} 0\n`)
    expect(text).not.toContain(`stapes_promise_until_timestamp_seconds${COPY}`)
  })

  test('that is not known is not kept', async () => {
    const facts = {
      ...KEPT,
      at: '2026-11-21T05:30:00.000Z',
      subjects: { hourly: { [WEB]: { taken: pairAt('01:00:12') } } },
    }
    const text = await scrape({ facts })
    expect(text).toContain(`stapes_promise_kept${SNAPSHOT} 0\n`)
    expect(text).toContain(`stapes_promise_unknown${SNAPSHOT} 1\n`)
  })

  test('whose first copy is in time is pending, and has no age', async () => {
    const facts = factsWith({
      hourly: { [WEB]: { taken: pairAt('05:00:12'), since: '2026-11-22T05:00:00.000Z' } },
    })
    const text = await scrape({ facts })
    expect(text).toContain(`stapes_promise_pending${COPY} 1\n`)
    expect(text).not.toContain(`stapes_newest_age_seconds${COPY}`)
  })
})

test('slots are told by outcome, several missed ones of one record as so many, and failed tries with the next one', async () => {
  const slots = [
    { slot: '2026-11-22T05:00:00.000Z', outcome: 'served' as const },
    { slot: '2026-11-22T01:00:00.000Z', outcome: 'missed' as const, count: 3 },
  ]
  const attempts = { [WEB]: { count: 2, reason: 'full', retryAt: '2026-11-22T05:32:00.000Z' } }
  const open = { slot: '2026-11-22T05:00:00.000Z', attempts }
  const policies = { hourly: { accounted: '2026-11-22T05:00:00.000Z', open, slots } }
  const text = await scrape({ ledger: ledgerWith({ policies }) })
  expect(text).toContain('stapes_recorded_slots{policy="hourly",outcome="served"} 1\n')
  expect(text).toContain('stapes_recorded_slots{policy="hourly",outcome="missed"} 3\n')
  expect(text).toContain('stapes_recorded_slots{policy="hourly",outcome="failed"} 0\n')
  expect(text).toContain(`stapes_slot_failed_attempts{policy="hourly",subject="${WEB}"} 2\n`)
  expect(text).toContain(
    `stapes_next_retry_timestamp_seconds${SNAPSHOT} ${Date.parse('2026-11-22T05:32:00Z') / 1000}\n`,
  )
})

test('long work is told while it is in progress, and its failed tries until it succeeds', async () => {
  const at = '2026-11-22T05:00:00.000Z'
  const work = {
    [`copy ${WEB}>backup/default/web`]: { state: 'running' as const, attempts: 0, at },
    'copy main/default/db>backup/default/db': {
      state: 'failed' as const,
      attempts: 3,
      at,
      retryAt: '2026-11-22T05:40:00.000Z',
    },
    'copy main/default/old>backup/default/old': { state: 'verified' as const, attempts: 0, at },
  }
  const text = await scrape({ ledger: ledgerWith({ work }) })
  expect(text).toContain('stapes_work_in_progress{kind="copy"} 1\n')
  expect(text).toContain(
    'stapes_work_failed_attempts{kind="copy",subject="main/default/db",target="backup/default/db"} 3\n',
  )
  expect(text).not.toContain('main/default/old')
})

test('a silent remote, instances under no policy and a paused policy are told', async () => {
  const facts = factsWith(
    {},
    {
      silent: { backup: { since: '2026-11-22T05:00:00.000Z', reason: 'no route' } },
      uncovered: { 'main/default': 'a b c' },
    },
  )
  const config = stored({ hourly: { copy: { remote: 'backup' } }, resting: { paused: true } })
  const text = await scrape({ config, facts })
  expect(text).toContain('stapes_remote_answers{remote="backup"} 0\n')
  expect(text).toContain('stapes_remote_answers{remote="main"} 1\n')
  expect(text).toContain('stapes_unprotected_instances{remote="main",project="default"} 3\n')
  expect(text).toContain('stapes_policy_paused{policy="resting"} 1\n')
})

test('with nothing applied, or no tick yet, all is not well, and nothing is told that isn’t known', async () => {
  expect(await scrape({ config: null, ledger: null, facts: null })).toContain('stapes_health{tone="bad"} 1\n')
  const text = await scrape({ config: HOURLY, ledger: null, facts: null })
  expect(text).toContain('stapes_health{tone="bad"} 1\n')
  expect(text).not.toMatch(/^stapes_(remote_answers|last_tick_timestamp_seconds|promise_kept)[{ ]/m)
})

test('a scraper needs the token of the API', async () => {
  const env = {
    STATE: { get: async () => null } as unknown as KVNamespace,
    ...{ RELAY_URL: 'https://relay.example.org', RELAY_KEY_ID: 'worker', RELAY_KEY: btoa('k'.repeat(32)) },
    STAPES_TOKEN: 'right',
  } satisfies Env
  const scraped = (authorization: string) =>
    createApp(() => NOW).request('/metrics', { headers: { authorization, accept: 'text/plain' } }, env)
  const denied = await scraped('Bearer wrong')
  expect(denied.status).toBe(401)
  expect(await denied.text()).not.toContain('stapes_')
  const answered = await scraped('Bearer right')
  expect(answered.status).toBe(200)
  expect(answered.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
})

test('how long an instance stood still the last time is the newest that is recorded', async () => {
  const slotAt = (hour: number, paused?: Record<string, number>) => ({
    slot: `2026-11-22T0${hour}:00:00.000Z`,
    ...{ outcome: 'served' as const, served: 1 },
    ...(paused === undefined ? {} : { paused }),
  })
  const slots = [slotAt(5), slotAt(4, { [WEB]: 1.5 }), slotAt(3, { [WEB]: 9 })]
  const policies = { hourly: { accounted: slots[0]?.slot ?? '', open: null, slots } }
  expect(await scrape({ ledger: ledgerWith({ policies }) })).toContain(
    `stapes_last_pause_seconds{policy="hourly",subject="${WEB}"} 1.5\n`,
  )
})
