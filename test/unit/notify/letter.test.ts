/** What an alarm says: what happened, what is still safe, and what to do. */
import { expect, test } from 'vitest'
import { plainOf } from '../../../functions/notify/plain.ts'
import { alarmLetter, recoveryLetter } from '../../../shared/notify/letter.ts'
import type { Notice } from '../../../shared/notify/notices.ts'
import { troublesOf } from '../../../shared/notify/trouble.ts'
import type { Condition } from '../../../shared/promise/condition.ts'
import type { Promised } from '../../../shared/promise/judge.ts'
import { conditionOf, promisedOf, verdictOf } from './verdicts.ts'

const NOW = new Date('2026-11-22T06:00:00Z')
const BEGAN = '2026-11-22T05:00:00.000Z'
const NOTICE: Notice = {
  since: BEGAN,
  began: BEGAN,
  title: 'main gives no answer',
  members: [],
  told: {},
  gone: NOW.toISOString(),
}

const said = (promises: Promised[], conditions: Condition[] = []): string => {
  const troubles = troublesOf(verdictOf(promises, conditions))
  const { title, body } = plainOf(
    alarmLetter({ id: 'x', notice: NOTICE, troubles, times: 0, fresh: [] }, promises, NOW).message,
  )
  return `${title}\n${body}`
}

const kept = (subject: string, more: Partial<Promised> = {}): Promised =>
  promisedOf({
    subject,
    state: 'kept',
    until: '2026-11-22T07:00:00.000Z',
    since: null,
    reason: null,
    ...more,
  })

test('a server that is silent: so many instances, the oldest backups, and until when that is soon enough', () => {
  const all = Array.from({ length: 8 }, (_, at) => `main/default/web${at}`).flatMap((subject, at) => [
    kept(subject),
    kept(subject, {
      ...{ kind: 'copy', target: subject.replace('main', 'backup') },
      newest: {
        snapshot: `hourly-20261122T0${5 - (at % 3)}00Z`,
        at: `2026-11-22T0${5 - (at % 3)}:00:10.000Z`,
      },
    }),
  ])
  const text = 'main has given no answer since 2026-11-22T05:00:00.000Z: connect ECONNREFUSED'
  expect(
    said(all, [conditionOf({ id: 'remote main', kind: 'remote', about: 'main', text, since: BEGAN })]),
  ).toMatchInlineSnapshot(`
    "main gives no answer
    • main has given no answer since 2026-11-22 05:00 UTC: connect ECONNREFUSED
    Meanwhile backups of 8 instances stand still: main/default/web0, main/default/web1, main/default/web2, main/default/web3, main/default/web4 and 3 more

    Still safe, the oldest first:
    • main/default/web2: hourly-20261122T0300Z, 2 h old, verified on backup/default/web2
    • main/default/web5: hourly-20261122T0300Z, 2 h old, verified on backup/default/web5
    • main/default/web1: hourly-20261122T0400Z, 1 h old, verified on backup/default/web1
    … and 5 instances with newer ones
    What was promised is kept until 2026-11-22 07:00 UTC, if nothing more happens.

    What to do: look whether that server runs and the relay reaches it; what is missing is made up for by itself"
  `)
})

test('a server with another certificate is told to be that, with how to compare it', () => {
  const text = `backup has given no answer since ${BEGAN}: "backup" shows certificate 00ff, whatever the words are`
  const letter = said(
    [],
    [conditionOf({ id: 'remote backup', kind: 'remote', about: 'backup', text, code: 'certificate' })],
  )
  expect(letter).toMatch(/^backup shows another certificate than the pinned one\n/)
  expect(letter).toContain('npm run trust -- backup --renew-server')
})

test('what to do about the relay follows from the code, whatever the words are', () => {
  const text = `main has given no answer since ${BEGAN}: whatever`
  const letter = said(
    [],
    [conditionOf({ id: 'remote main', kind: 'remote', about: 'main', text, code: 'relay' })],
  )
  expect(letter).toMatch(/^the relay gives no usable answer\n/)
  expect(letter).toContain('What to do: start the relay')
})

test('a full pool', () => {
  const reason = 'No space left on device; next try at 2026-11-22T06:10:00.000Z'
  const promises = ['db', 'web'].map((name) => promisedOf({ subject: `main/default/${name}`, reason }))
  expect(said(promises)).toMatchInlineSnapshot(`
    "2 promises to 2 instances are not kept: No space left on device; next try at 2026-11-22 06:10 UTC
    • main/default/db has no snapshot as young as hourly promises, since 2026-11-22 05:00 UTC. The newest one is hourly-20261122T0300Z, of 2026-11-22 03:00 UTC
    • main/default/web has no snapshot as young as hourly promises, since 2026-11-22 05:00 UTC. The newest one is hourly-20261122T0300Z, of 2026-11-22 03:00 UTC

    Still safe, the oldest first:
    • main/default/db: hourly-20261122T0300Z, 2 h old, on its own server only
    • main/default/web: hourly-20261122T0300Z, 2 h old, on its own server only

    What to do: free space in the storage pool; stapes tries again by itself"
  `)
})

test('an instance under no policy, of which nothing is known and whose text says what to do', () => {
  const text =
    'under no policy, so not backed up, is on main/default: new. Select it in a policy, or leave it out on purpose: incus config set new user.stapes.exclude=true'
  expect(
    said([], [conditionOf({ id: 'uncovered main/default', kind: 'remote', about: 'main', text })]),
  ).toMatchInlineSnapshot(`
    "under no policy, so not backed up, is on main/default: new
    Select it in a policy, or leave it out on purpose: incus config set new user.stapes.exclude=true
    Nothing new is backed up of it; what exists of it stays."
  `)
})

test('a first backup that never came', () => {
  expect(said([promisedOf({ newest: null, reason: 'the instance is locked' })])).toMatchInlineSnapshot(`
    "main/default/web has no snapshot of hourly yet, which was promised by 2026-11-22 05:00 UTC: the instance is locked
    No backup is known of main/default/web.

    What to do: see /backup status, and "What each message means" in docs/operations.md"
  `)
})

test('its end', () => {
  const counted = { severity: 'critical', kept: [kept('main/default/web')], dropped: 1 } as const
  const { title, body } = plainOf(recoveryLetter('x', NOTICE, counted, NOW).message)
  expect(`${title}\n${body}`).toMatchInlineSnapshot(`
    "Over after 60 min: main gives no answer
    1 promise is kept again.
    1 promise is no longer made: a policy or an instance is gone or paused.
    Still safe:
    • main/default/web: hourly-20261122T0300Z, 2 h old, on its own server only
    What was promised is kept until 2026-11-22 07:00 UTC, if nothing more happens."
  `)
})

test.each([
  ['lost', /^verified snapshots are gone from the copies of 2 instances\n/],
  ['brake', /^what would go of 2 instances is held back until somebody looks\n/],
  ['copy', /^backups of 2 instances fail/],
])('many of one kind, %s, are called what they are', (kind, title) => {
  const all = ['web', 'db'].map((name) =>
    conditionOf({
      id: `${kind} ${name}`,
      kind: 'instance',
      about: `main/default/${name}`,
      text: `${name} x`,
    }),
  )
  expect(said([], all)).toMatch(title)
})
