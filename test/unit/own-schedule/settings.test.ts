/** What may be set of Incus's own schedule. */
import { expect, test } from 'vitest'
import { knowsManualExpiry } from '../../../shared/incus/features.ts'
import { configOf } from '../../../shared/own-schedule/settings.ts'

test.each<[string, Parameters<typeof configOf>[0], object]>([
  ['nothing', {}, {}],
  ['cron', { schedule: ' 0 3,15 * * * ' }, { 'snapshots.schedule': '0 3,15 * * *' }],
  ['a list', { schedule: '@Daily, @startup' }, { 'snapshots.schedule': '@Daily, @startup' }],
  ['an end', { expiry: '7d 12H' }, { 'snapshots.expiry': '7d 12H' }],
  [
    'never',
    { schedule: '@never', expiry: 'never' },
    { 'snapshots.schedule': '@never', 'snapshots.expiry': '' },
  ],
  [
    'none of it',
    { schedule: 'none', pattern: 'none', manualExpiry: '' },
    { 'snapshots.schedule': '', 'snapshots.pattern': '', 'snapshots.expiry.manual': '' },
  ],
  ['what stands still', { stopped: false }, { 'snapshots.schedule.stopped': 'false' }],
  [
    'names',
    { pattern: "auto-{{ creation_date|date:'2006-01-02_15-04-05' }}" },
    { 'snapshots.pattern': "auto-{{ creation_date|date:'2006-01-02_15-04-05' }}" },
  ],
])('%s', (_, given, config) => {
  expect(configOf(given)).toEqual({ ok: true, value: config })
})

test.each<[string, Parameters<typeof configOf>[0], RegExp]>([
  ['a schedule with seconds', { schedule: '0 0 3 * * *' }, /expected five fields/],
  ['an unknown alias', { schedule: '@every 5m' }, /expected five fields/],
  ['a list that Incus would split', { schedule: '0 3,15 * * *, @weekly' }, /at each comma/],
  ['an end in minutes of no unit', { expiry: '7' }, /expected an Incus expiry/],
  ['two numbers', { pattern: 'x%d-%d' }, /only once/],
  ['a space', { pattern: 'my snap' }, /no name of a snapshot/],
  ['a slash', { pattern: 'a/b' }, /no name of a snapshot/],
  ['a bare date', { pattern: 'x-{{ creation_date }}' }, /bare/],
  ['names of stapes', { pattern: "daily-{{creation_date|date:'20060102T1504Z'}}" }, /those of stapes/],
  [
    'names of stapes in parts',
    { pattern: 'daily-{{ creation_date|date:\'20060102\' }}T{{creation_date|date:"1504"}}Z' },
    /those of stapes/,
  ],
  ['names of stapes by number', { pattern: 'daily-20261120T030%dZ' }, /those of stapes/],
  ['names of stapes by long numbers', { pattern: 'daily-%dT0300Z' }, /those of stapes/],
  [
    'what a filter makes of it',
    { pattern: "daily-{{creation_date|date:'20060102T1504'|add:'Z'}}" },
    /without other filters/,
  ],
  ['one name of stapes', { pattern: 'daily-20261120T0300Z' }, /those of stapes/],
])('is refused: %s', (_, given, why) => {
  const config = configOf(given)
  expect(config.ok ? '' : config.error).toMatch(why)
})

test.each([
  ['6.0.4', false],
  ['6.0.5', true],
  ['6.13', false],
  ['6.14', true],
  ['7.0.2', true],
  ['odd', false],
])('snapshots.expiry.manual on Incus %s: %s', (version, known) => {
  expect(knowsManualExpiry(version)).toBe(known)
})
