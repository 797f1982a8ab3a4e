import { describe, expect, test } from 'vitest'
import { followUp, saidFirst } from '../../../shared/chat/progress.ts'
import type { Watch } from '../../../shared/chat/watch.ts'
import { emptyLedger, type Ledger } from '../../../shared/ledger/ledger.ts'
import type { JobReport } from '../../../shared/relay/protocol.ts'
import type { CopyWork } from '../../../shared/work/copy/entry.ts'
import type { RestoreWork } from '../../../shared/work/restore/entry.ts'
import { detailsLength, messageText } from '../../chat/message-text.ts'
import { copiesAs } from '../../long-work.ts'

const START = '2026-11-22T12:00:00.000Z'
const KEY = 'main/default/web1>backup/default/web1'
const watch = (more: Partial<Watch> = {}): Watch => ({
  ...{ id: 'a1', line: 'copy web1', by: 'ada', work: [`copy ${KEY}`], startedAt: START },
  ...more,
})
const copyAs = (state: CopyWork['state'], more: Partial<CopyWork> = {}): CopyWork => ({
  ...{ state, job: `${KEY}:j1`, attempts: 0, at: START },
  ...more,
})
const restoreAs = (state: RestoreWork['state'], more: Partial<RestoreWork> = {}): RestoreWork => ({
  ...{ state, snapshot: 'nightly-20261121T0300Z', safety: 'before-restore-20261122T1200Z', running: true },
  ...{ holds: {}, job: 'r1', attempts: 0, at: START },
  ...more,
})
const ledgerOf = (more: Partial<Ledger>): Ledger => ({ ...emptyLedger('v1'), ...more })
const reportOf = (more: Partial<JobReport> = {}): JobReport => ({
  ...{ id: `${KEY}:j1`, state: 'running', since: START, progress: 'rootfs: 1.21GB (120.50MB/s)' },
  ...more,
})
const minuteOf = (minutes: number): Date => new Date(new Date(START).getTime() + minutes * 60_000)

const follow = (ledger: Partial<Ledger>, minutes = 5, jobs: JobReport[] = [], more: Partial<Watch> = {}) =>
  followUp(watch(more), { jobs, ledger: ledgerOf(ledger), now: minuteOf(minutes) })

describe('a copy', () => {
  test('under way tells amount and rate as Incus does, and no bar', () => {
    const { ended, message } = follow({ work: copiesAs({ [KEY]: copyAs('running') }) }, 5, [reportOf()])
    expect(ended).toBe(false)
    expect(messageText(message)).toMatchInlineSnapshot(
      `"info, to the channel: \`/backup copy web1\`: copying \`main/default/web1\`, 1.2 GB of \`rootfs\` at 121 MB/s, for 5 min"`,
    )
  })

  test('that tells its whole has a bar', () => {
    const progress = 'export (45 %): 1.21GB (120.50MB/s)'
    const { message } = follow({ work: copiesAs({ [KEY]: copyAs('running') }) }, 5, [reportOf({ progress })])
    expect(messageText(message)).toContain('1.2 GB of `export` (45 %) at 121 MB/s')
    expect(message.details).toEqual([{ kind: 'code', text: '█████████░░░░░░░░░░░ 45 %\n' }])
  })

  test('that has ended tells in the history how long it took, and how much it was', () => {
    const verified = { work: copiesAs({ [KEY]: copyAs('verified') }) }
    const { outcome } = follow(verified, 12, [reportOf({ state: 'done' })])
    expect(outcome?.text).toBe('1 of 1 in 12 min, 1.2 GB')
  })

  test('says nothing new while only time has passed', () => {
    const work = copiesAs({ [KEY]: copyAs('running') })
    expect(follow({ work }, 5).said).toBe(follow({ work }, 6).said)
    expect(follow({ work }, 5, [reportOf()]).said).not.toBe(follow({ work }, 5).said)
  })

  test('says nothing new before Incus tells how far it is', () => {
    const work = copiesAs({ [KEY]: copyAs('running') })
    expect(follow({ work }, 1).said).toBe(saidFirst(watch()))
  })

  test('that was verified tells how long it took', () => {
    const { ended, outcome, message } = follow(
      { work: copiesAs({ [KEY]: copyAs('verified', { newest: 'nightly-20261122T0300Z' }) }) },
      12,
    )
    expect(ended).toBe(true)
    expect(outcome).toEqual({ state: 'done', text: '1 of 1 in 12 min', at: minuteOf(12).toISOString() })
    expect(messageText(message)).toMatchInlineSnapshot(`
      "good, to the channel: \`/backup copy web1\` is done: 1 copy verified, in 12 min
        \`main/default/web1\` is verified on \`backup/default/web1\` up to \`nightly-20261122T0300Z\`"
    `)
  })

  test('that failed tells why, and when it is tried again', () => {
    const failed = copyAs('failed', {
      attempts: 1,
      reason: 'no space left on device',
      retryAt: minuteOf(20).toISOString(),
    })
    const { outcome, message } = follow({ work: copiesAs({ [KEY]: failed }) })
    expect(outcome?.state).toBe('failed')
    expect(messageText(message)).toMatchInlineSnapshot(`
      "bad, to the channel: \`/backup copy web1\` has ended: 1 copy failed, in 5 min
        \`main/default/web1\`: the copy failed: no space left on device. stapes tries again <~2026-11-22 12:20>"
    `)
  })

  test('whose end nobody saw is neither done nor failed', () => {
    const unseen = copyAs('unknown', { attempts: 1, reason: 'the relay was restarted' })
    const { outcome, message } = follow({ work: copiesAs({ [KEY]: unseen }) })
    expect(outcome?.state).toBe('unknown')
    expect(message.tone).toBe('warning')
  })

  test('isn’t taken for verified because an earlier one was', () => {
    const before = copyAs('verified', { at: '2026-11-21T04:00:00.000Z' })
    expect(follow({ work: copiesAs({ [KEY]: before }) }, 2).ended).toBe(false)
    expect(follow({}, 2)).toMatchObject({ ended: false, notStarted: true })
  })

  test('that nobody lived to begin is told as such, and to be asked for again', () => {
    const { ended, outcome, message } = follow({}, 3)
    expect({ ended, state: outcome?.state }).toEqual({ ended: true, state: 'failed' })
    expect(messageText(message)).toContain('it was not seen to begin: request it again if you still want it')
    expect(follow({ work: copiesAs({ [KEY]: copyAs('started') }) }, 3)).toMatchObject({
      ended: false,
      notStarted: false,
    })
  })

  test('is given up on after a day', () => {
    const work = copiesAs({ [KEY]: copyAs('running') })
    expect(follow({ work }, 24 * 60 - 1).ended).toBe(false)
    const { ended, outcome, message } = follow({ work }, 24 * 60)
    expect([ended, outcome?.state]).toEqual([true, 'unknown'])
    expect(messageText(message)).toMatchInlineSnapshot(`
      "warning, to the channel: \`/backup copy web1\`: no end was seen within 24 hours, so this message is no longer updated. \`/backup status\` shows its state.
        copying \`main/default/web1\`"
    `)
  })
})

describe('several copies', () => {
  const keys = ['a', 'b', 'c', 'd', 'e'].map((name) => `copy main/default/${name}>backup/default/${name}`)
  const work = Object.fromEntries(
    keys.map((key, index) => [key, copyAs(index < 2 ? 'verified' : 'running', { job: `${key}:j` })]),
  )

  test('are counted, with a bar', () => {
    const { message } = follow({ work }, 5, [], { work: keys, line: 'copy' })
    expect(messageText(message)).toMatchInlineSnapshot(`
      "info, to the channel: \`/backup copy\`: 2 of 5 done, for 5 min
        | ████████░░░░░░░░░░░░ 2 of 5
        copying \`main/default/c\`
        copying \`main/default/d\`
        copying \`main/default/e\`
        \`main/default/a\` is verified on \`backup/default/a\`
        \`main/default/b\` is verified on \`backup/default/b\`"
    `)
  })

  test('of which one failed end badly, and tell that first', () => {
    const [first = '', ...others] = keys
    const ended = {
      [first]: copyAs('failed', { attempts: 1, reason: 'gone' }),
      ...Object.fromEntries(others.map((key) => [key, copyAs('verified')])),
    }
    const { message, outcome } = follow({ work: ended }, 9, [], { work: keys, line: 'copy' })
    expect(outcome).toMatchObject({ state: 'failed', text: '4 of 5 in 9 min; main/default/a: gone' })
    expect(messageText(message)).toMatchInlineSnapshot(`
      "bad, to the channel: \`/backup copy\` has ended: 4 copies verified and 1 copy failed, in 9 min
        \`main/default/a\`: the copy failed: gone
        \`main/default/b\` is verified on \`backup/default/b\`
        \`main/default/c\` is verified on \`backup/default/c\`
        \`main/default/d\` is verified on \`backup/default/d\`
        \`main/default/e\` is verified on \`backup/default/e\`"
    `)
  })

  test('stay short when they are 200', () => {
    const many = Array.from(
      { length: 200 },
      (_, index) => `copy main/default/w${index}>backup/default/w${index}`,
    )
    const { message, said } = follow({}, 5, [], { work: many })
    expect(detailsLength(message)).toBeLessThan(2500)
    expect(said.length).toBeLessThanOrEqual(500)
  })
})

describe('a restore', () => {
  const about = { work: ['restore main/default/web1'], line: 'restore web1 nightly-20261121T0300Z' }

  test('that is tried again says so', () => {
    const work = {
      'restore main/default/web1': restoreAs('running', { attempts: 1, reason: 'the daemon was restarted' }),
    }
    expect(messageText(follow({ work }, 3, [], about).message)).toMatchInlineSnapshot(
      `"info, to the channel: \`/backup restore web1 nightly-20261121T0300Z\`: restoring \`main/default/web1\` to \`nightly-20261121T0300Z\` (try 2 after: the daemon was restarted), for 3 min"`,
    )
  })

  test('that is done tells where the state before is, and how to go back', () => {
    const work = { 'restore main/default/web1': restoreAs('done') }
    const { outcome, message } = follow({ work }, 3, [], about)
    expect(outcome?.state).toBe('done')
    expect(messageText(message)).toMatchInlineSnapshot(`
      "good, to the channel: \`/backup restore web1 nightly-20261121T0300Z\` is done: 1 instance restored, in 3 min
        \`main/default/web1\` is restored to \`nightly-20261121T0300Z\`. The previous state is kept in \`before-restore-20261122T1200Z\`; to go back: \`/backup restore main/default/web1 before-restore-20261122T1200Z\`"
    `)
  })

  test('that was given up tells that, too', () => {
    const work = {
      'restore main/default/web1': restoreAs('failed', { attempts: 5, reason: 'the pool is gone' }),
    }
    expect(messageText(follow({ work }, 30, [], about).message)).toMatchInlineSnapshot(`
      "bad, to the channel: \`/backup restore web1 nightly-20261121T0300Z\` has ended: 1 restore failed, in 30 min
        \`main/default/web1\`: the restore failed: the pool is gone. The previous state is in \`before-restore-20261122T1200Z\`, if \`/backup list main/default/web1\` shows that snapshot; to go back: \`/backup restore main/default/web1 before-restore-20261122T1200Z\`"
    `)
  })
})
