/** Each finding of what KV and the relay's look know: there where something is wrong, and not where it isn't. */
import { describe, expect, test } from 'vitest'
import type { Examined } from '../../../shared/doctor/examined.ts'
import type { Finding } from '../../../shared/doctor/finding.ts'
import { emptyLedger } from '../../../shared/ledger/ledger.ts'
import { configOf } from '../policy/instances.ts'
import { COPY, condition, diagnosisOf, findingsOf, mainWith, seenOn, verdictWith, WEB } from './examined.ts'

const failing = (code: 'unreachable' | 'certificate', of?: 'relay') => ({
  ok: false as const,
  error: { code, message: 'it says so', ...(of === undefined ? {} : { of }) },
})

const exporting = configOf({ daily: { keep: { daily: 7 }, export: { to: 'nas', schedule: '@daily' } } })
const everyMinute = configOf({ fast: { schedule: '* * * * *', keep: { last: 9 } } })

const copyWith = (own: Record<string, string>, status = 'Stopped') => ({
  remotes: { main: seenOn({ web1: {} }), backup: seenOn({ web1: { status, own } }) },
})

type Case = [
  code: Finding['code'],
  severity: Finding['severity'],
  about: string | null,
  wrong: Partial<Examined>,
  says: RegExp,
]

const CASES: Case[] = [
  [
    'relay-silent',
    'critical',
    null,
    { remotes: { main: failing('unreachable', 'relay') } },
    /no usable answer of the relay: .*it says so/,
  ],
  [
    'remote-silent',
    'critical',
    'main',
    { remotes: { main: failing('certificate') } },
    /main gives the relay no usable answer: .*it says so/,
  ],
  [
    'role-wrong',
    'critical',
    'policy daily',
    {
      remotes: {
        main: seenOn({ web1: {} }),
        backup: seenOn({}, { more: { rules: { role: 'source', minRetention: 0 } } }),
      },
    },
    /does not say that it is a backup target$/,
  ],
  ['config-missing', 'critical', null, { config: null }, /no configuration/],
  [
    'ticks-late',
    'critical',
    null,
    { verdict: verdictWith(condition('ticks', 'no tick for 90 min')) },
    /no tick for 90 min/,
  ],
  [
    'ticks-none',
    'critical',
    null,
    { verdict: verdictWith(condition('first tick', 'no tick yet')) },
    /no tick yet/,
  ],
  [
    'config-unused',
    'warning',
    null,
    { verdict: verdictWith(condition('applied', 'unused', 'warning')) },
    /unused/,
  ],
  [
    'status-bad',
    'critical',
    null,
    { verdict: verdictWith(condition('copy x', 'the copy failed')) },
    /not all is well: the copy failed/,
  ],
  [
    'status-bad',
    'warning',
    null,
    { verdict: verdictWith(condition('paused x', 'policy x is paused', 'warning')) },
    /policy x is paused/,
  ],
  [
    'kv-fails',
    'critical',
    null,
    { verdict: verdictWith(condition('kv full', 'KV has taken no writes')) },
    /taken no writes/,
  ],
  ['kv-writes', 'warning', null, { config: everyMinute }, /about 59\d\d a day/],
  ['channels-none', 'warning', null, { channels: [] }, /nobody is told/],
  [
    'channel-fails',
    'critical',
    'ops',
    { verdict: verdictWith(condition('channel ops', 'notifications to "ops" have failed', 'warning')) },
    /have failed/,
  ],
  [
    'channel-untried',
    'unknown',
    'ops',
    { channels: [{ name: 'ops', type: 'slack', heard: null }] },
    /isn't known whether notifications arrive/,
  ],
  ['clock-off', 'info', 'main', mainWith({ skew: -90 }), /90 s behind/],
  ['clock-off', 'warning', 'main', mainWith({ skew: 1200 }), /20 min ahead of/],
  ['clock-off', 'critical', 'main', mainWith({ skew: -7200 }), /2 h behind/],
  ['clock-unknown', 'unknown', 'main', { remotes: { main: failing('unreachable') } }, /isn't known/],
  ['version-exports', 'info', 'main', mainWith({ version: '7.3' }), /ends the daemon/],
  [
    'version-exports',
    'warning',
    'main',
    { ...mainWith({ version: '7.0.1' }), config: exporting },
    /ends the daemon/,
  ],
  [
    'version-exports',
    'warning',
    'main',
    { ...mainWith({ version: '5.0.2' }), config: exporting },
    /can't be trusted/,
  ],
  [
    'version-advisories',
    'unknown',
    'main',
    mainWith({ version: '6.0.4' }),
    /advisories \(CVE-2025-64507 to CVE-2026-48755\), unless its packager/,
  ],
  ['version-unknown', 'unknown', 'main', mainWith({ version: 'edge' }), /calls its version "edge"/],
  [
    'pool-freezes',
    'info',
    'main/default',
    mainWith({ pools: { default: 'dir' } }),
    /frozen until all of its data/,
  ],
  [
    'pool-restores',
    'warning',
    'main/default',
    mainWith({ pools: { default: 'zfs' } }),
    /only the newest snapshot/,
  ],
  [
    'pool-restores',
    'warning',
    'main/default',
    mainWith({ pools: { default: 'lvm' }, more: { thick: ['default'] } }),
    /without a thin pool/,
  ],
  [
    'pool-restores',
    'unknown',
    'main/default',
    mainWith({ pools: { default: 'cloudfs' } }),
    /isn't known what a restore/,
  ],
  ['pool-unknown', 'unknown', 'main/default', mainWith({ pools: {} }), /can't be read/],
  [
    'key-unknown',
    'warning',
    WEB,
    { remotes: { main: seenOn({ web1: { own: { 'user.stapes.kep': '3' } } }) } },
    /unknown key/,
  ],
  [
    'key-misplaced',
    'warning',
    WEB,
    { remotes: { main: seenOn({ web1: { own: { 'user.stapes.replica-of': 'other/default/x' } } }) } },
    /does NOT back it up$/,
  ],
  [
    'key-misplaced',
    'warning',
    COPY,
    copyWith({ 'user.stapes.replica-of': WEB }, 'Running'),
    /running and marked as the copy/,
  ],
  [
    'key-left',
    'warning',
    WEB,
    { remotes: { main: seenOn({ web1: { own: { 'user.stapes.replica-of.server': 'x' } } }) } },
    /boot\.autostart=false$/,
  ],
  [
    'key-unsealed',
    'warning',
    WEB,
    { remotes: { main: seenOn({ web1: { unsealed: true } }) } },
    /not made by this relay/,
  ],
  [
    'keys-unread',
    'unknown',
    WEB,
    { remotes: { main: seenOn({ web1: { offline: true, status: 'Error', pool: '' } }) } },
    /could not be read/,
  ],
  [
    'copy-orphan',
    'info',
    COPY,
    copyWith({ 'user.stapes.replica-of': 'main/default/old', 'user.stapes.verified': 'x' }),
    /no policy makes: it stays/,
  ],
  [
    'copy-orphan',
    'info',
    COPY,
    copyWith({ 'user.stapes.replica-of': 'main/default/old' }),
    /nothing of it was ever verified/,
  ],
  [
    'leftover',
    'warning',
    'main',
    mainWith({ more: { leftovers: ['default/x could not be removed; delete it yourself: incus delete x'] } }),
    /could not be removed$/,
  ],
  [
    'leftovers-unread',
    'unknown',
    'main',
    { remotes: { main: failing('unreachable') } },
    /could not be looked for/,
  ],
  [
    'incustmp',
    'critical',
    WEB,
    {
      ledger: {
        ...emptyLedger('v1'),
        work: {
          [`restore ${WEB}`]: {
            state: 'failed',
            attempts: 4,
            reason: 'left /p/web1.incustmp',
            at: '2026-11-22T00:00:00.000Z',
          },
        },
      },
    },
    /left data aside/,
  ],
  ['incustmp', 'info', 'main/default', {}, /can't be seen from here/],
]

describe('there is', () => {
  test.each(CASES)('%s (%s) about %s', (code, severity, about, wrong, says) => {
    const found = findingsOf(code, wrong)
    expect(found).toContainEqual(
      expect.objectContaining({
        severity,
        about,
        what: expect.stringMatching(says),
        cure: expect.stringMatching(/\w{3}/),
      }),
    )
  })
})

describe('there is none', () => {
  const well = diagnosisOf()

  test.each(
    [...new Set(CASES.map(([code]) => code))].filter((code) => code !== 'kv-writes' && code !== 'incustmp'),
  )('of %s where all is well', (code) => {
    expect(well.findings.filter((one) => one.code === code)).toEqual([])
  })
})

test.each([
  ['6.0.5', false],
  ['6.0.6', true],
  ['6.21.0', false],
  ['6.22', true],
  ['7.0.1', true],
  ['7.0.2', false],
  ['7.1', true],
  ['7.3.0', true],
  ['7.4', false],
  ['8.0.0', false],
])('an export that fails ends the daemon of Incus %s: %s', (version, dies) => {
  expect(findingsOf('version-exports', mainWith({ version }))).toHaveLength(dies ? 1 : 0)
})

test.each([
  ['6.0.4', '22 advisories'],
  ['6.0.6', '19 advisories'],
  ['6.20', '21 advisories'],
  ['6.23.0', '13 advisories'],
  ['7.0.2', '5 advisories'],
])('Incus %s is older than what fixes %s', (version, many) => {
  const [found] = findingsOf('version-advisories', mainWith({ version }))
  expect(found?.what).toContain(many)
})

test('Incus 7.2 is older than none of them', () => {
  expect(findingsOf('version-advisories', mainWith({ version: '7.2' }))).toEqual([])
})
