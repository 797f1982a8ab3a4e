/** What KV holds of what was told is untrusted: whatever it is, people are told. */
import { describe, expect, test } from 'vitest'
import { dropFuture } from '../../../shared/notify/ahead.ts'
import { decide } from '../../../shared/notify/decide.ts'
import { type Notices, parseNotices } from '../../../shared/notify/notices.ts'
import { settle } from '../../../shared/notify/settle.ts'
import { EVIL, pathsOf, replaced } from '../ledger/malformed.ts'
import { channelOf, promisedOf, verdictOf } from './verdicts.ts'

const NOW = new Date('2026-11-22T06:00:00Z')
const ago = (minutes: number): string => new Date(NOW.getTime() - minutes * 60_000).toISOString()

const CHANNEL = channelOf({ digest: ['0 8 * * *'], quiet: { from: '22:00', to: '05:00' }, match: ['*'] })
const BROKEN = verdictOf([promisedOf()])
const situation = { channels: [CHANNEL], verdict: BROKEN, sees: true, ledger: null }

const NOTED: Notices = {
  open: {
    'because main No space left on device': {
      ...{
        since: ago(60),
        began: ago(90),
        title: 'it was',
        members: ['promise snapshot hourly main/default/web'],
      },
      ...{ gone: ago(3), told: { ops: { at: ago(60), times: 1, severity: 'critical', ref: '42' } } },
    },
  },
  channels: {
    ops: {
      ...{ as: CHANNEL, digestAt: ago(600) },
      failing: { since: ago(20), count: 3, reason: '500', retryAt: ago(1), final: true },
    },
  },
  claim: { by: 'a', at: ago(10), kind: 'waits' },
}

const cases = pathsOf(NOTED).flatMap((path) => EVIL.map((evil) => [path.join('.'), evil, path] as const))

test('it is read as it was written', () => {
  expect(parseNotices(JSON.parse(JSON.stringify(NOTED)))).toEqual(NOTED)
})

describe('with anything else in any place', () => {
  test(`nothing throws, and within two hours somebody is told (${cases.length} ways)`, () => {
    expect(cases.length).toBeGreaterThan(300)
    const silent = cases.flatMap(([name, evil, path]) => {
      let notices = parseNotices(replaced(NOTED, path, evil))
      for (const minutes of [0, 31, 62, 120, 400]) {
        const now = new Date(NOW.getTime() + minutes * 60_000)
        const { notices: noted, due } = decide(dropFuture(notices, now), situation, now)
        if (due.length > 0) return []
        notices = due.reduce((all, one) => settle(all, one, { ok: true }, now), noted)
      }
      return [`${name} = ${evil}`]
    })
    expect(silent).toEqual([])
  })
})

describe('with a date in the future', () => {
  const dates = pathsOf(NOTED).filter((path) => /(?:At|at|since|began|gone)$/.test(String(path.at(-1))))

  test.each(dates.map((path) => [path.join('.'), path] as const))('%s keeps nobody silent', (_, path) => {
    const ahead = replaced(NOTED, path, '"2099-01-01T00:00:00.000Z"')
    const { channels, open } = dropFuture(parseNotices(ahead), NOW)
    expect(JSON.stringify({ channels, open })).not.toContain('2099')
  })
})
