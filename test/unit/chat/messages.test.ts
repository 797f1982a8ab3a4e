import { describe, expect, test } from 'vitest'
import {
  cancelledMessage,
  changedMessage,
  confirmMessage,
  workingMessage,
} from '../../../shared/chat/confirm-message.ts'
import { deniedMessage, failedMessage, mistakeMessage } from '../../../shared/chat/mistake-message.ts'
import { planMessage } from '../../../shared/chat/plan-message.ts'
import { type Performed, resultMessage, settingMessage } from '../../../shared/chat/result-message.ts'
import { plain, spoken } from '../../../shared/chat/words.ts'
import type { Line } from '../../../shared/plan/line.ts'
import { detailsLength, messageText } from '../../chat/message-text.ts'

const take: Line = {
  about: 'main/default/web1',
  sign: '+',
  what: 'nightly-20261122T0300Z',
  reason: 'slot 2026-11-22T03:00:00.000Z is due',
}
const expire: Line = {
  about: 'main/default/web1',
  sign: '-',
  what: 'nightly-20261114T0300Z',
  reason: 'no rule keeps it',
}
const keep: Line = {
  about: 'main/default/web1',
  sign: '=',
  what: 'nightly-20261121T0300Z',
  reason: 'daily 1 of 7',
}
const copy: Line = {
  about: 'main/default/db1',
  sign: '>',
  what: 'backup/default/db1',
  reason: 'refresh by pull: asked for',
}
const problem: Line = { about: 'backup', sign: '!', what: '', reason: 'backup can’t be reached' }
const restore: Line = {
  about: 'main/default/web1',
  sign: '<',
  what: 'nightly-20261121T0300Z',
  reason: 'requested by ada',
}

const crowd = (many: number): Line[] =>
  Array.from({ length: many }, (_, index) => ({ ...keep, about: `main/default/web${index}` }))

describe('a plan', () => {
  test('is counted in the first line, and folded below it', () => {
    expect(messageText(planMessage('plan', [keep, take, expire, copy]))).toMatchInlineSnapshot(`
      "info, to the caller: \`/backup plan\` takes 1 snapshot, expires 1 snapshot and starts 1 copy
        | main/default/db1
        |   > backup/default/db1      refresh by pull: asked for
        | main/default/web1
        |   - nightly-20261114T0300Z  no rule keeps it
        |   + nightly-20261122T0300Z  slot 2026-11-22 03:00 UTC is due
        |   = nightly-20261121T0300Z  daily 1 of 7"
    `)
  })

  test('says so when there is nothing to do', () => {
    expect(messageText(planMessage('plan', []))).toMatchInlineSnapshot(
      `"info, to the caller: \`/backup plan\` has nothing to do"`,
    )
    expect(messageText(planMessage('plan', [keep]))).toMatchInlineSnapshot(`
      "info, to the caller: \`/backup plan\` takes and removes nothing
        | main/default/web1
        |   = nightly-20261121T0300Z  daily 1 of 7"
    `)
  })

  test('warns of problems, and says why it is refused', () => {
    expect(planMessage('plan', [take, problem]).tone).toBe('warning')
    const refusal = {
      code: 'unverified',
      reason: 'nobody saw the end of its creation: choose another',
    } as const
    expect(messageText(planMessage('restore web1 x', [], { refusal, to: 'channel' }))).toMatchInlineSnapshot(
      `"bad, to the channel: \`/backup restore web1 x\` is refused, and nothing was changed: nobody saw the end of its creation: choose another"`,
    )
  })

  test('of 200 instances shows what it changes, and how many lines more there are', () => {
    const message = planMessage('plan', [...crowd(200), expire])
    expect(detailsLength(message)).toBeLessThan(2500)
    expect(messageText(message)).toContain('- nightly-20261114T0300Z')
    expect(messageText(message)).toMatch(/… and 1\d\d more: name one instance/)
  })

  test('with one endless line is cut', () => {
    expect(detailsLength(planMessage('plan', [{ ...problem, reason: 'x'.repeat(9000) }]))).toBeLessThan(2500)
  })
})

describe('a confirmation', () => {
  const waiting = {
    ...{ line: 'restore web1 nightly-20261121T0300Z', lines: [restore, take], by: { user: 'U1' } },
    ...{
      approval: 'self' as const,
      until: '2026-11-22T12:35:00.000Z',
      buttons: { confirm: 'yes', cancel: 'no' },
    },
  }

  test('shows the plan, who has to confirm it, and until when', () => {
    expect(messageText(confirmMessage(waiting))).toMatchInlineSnapshot(`
      "warning, to the channel: \`/backup restore web1 nightly-20261121T0300Z\` restores 1 instance and takes 1 snapshot. @U1, who requested it, has to confirm it, until <2026-11-22 12:35>.
        | main/default/web1
        |   < nightly-20261121T0300Z  requested by ada
        |   + nightly-20261122T0300Z  slot 2026-11-22 03:00 UTC is due
        [Confirm] danger yes
        [Cancel] plain no"
    `)
  })

  test('asks for a second person where a policy does', () => {
    expect(messageText(confirmMessage({ ...waiting, approval: 'second' }))).toContain(
      'Somebody other than @U1 has to confirm it',
    )
  })

  test('says what differs when the world has changed', () => {
    expect(messageText(changedMessage({ ...waiting, before: [restore, expire] }))).toMatchInlineSnapshot(`
      "warning, to the channel: Nothing was done yet, because the plan of \`/backup restore web1 nightly-20261121T0300Z\` has changed: 1 line gone and 1 line new. It now restores 1 instance and takes 1 snapshot. @U1, who requested it, has to confirm it, until <2026-11-22 12:35>.
        No longer in the plan:
        | main/default/web1
        |   - nightly-20261114T0300Z  no rule keeps it
        New in the plan:
        | main/default/web1
        |   + nightly-20261122T0300Z  slot 2026-11-22 03:00 UTC is due
        The whole plan:
        | main/default/web1
        |   < nightly-20261121T0300Z  requested by ada
        |   + nightly-20261122T0300Z  slot 2026-11-22 03:00 UTC is due
        [Confirm] danger yes
        [Cancel] plain no"
    `)
    expect(messageText(changedMessage({ ...waiting, before: waiting.lines }))).toContain(
      'it would now work on something else',
    )
  })

  test('stays short with everything changed', () => {
    const lines = crowd(200)
    const message = changedMessage({ ...waiting, lines, before: crowd(400).slice(200) })
    expect(detailsLength(message)).toBeLessThan(2500)
  })

  test('is gone when somebody has decided', () => {
    expect(messageText(cancelledMessage('expire web1', { user: 'U2' }))).toMatchInlineSnapshot(
      `"info, to the channel: \`/backup expire web1\` was cancelled by @U2. Nothing was changed."`,
    )
    expect(messageText(workingMessage('expire web1', { user: 'U2' }))).toMatchInlineSnapshot(
      `"info, to the channel: \`/backup expire web1\` was confirmed by @U2, and is in progress."`,
    )
  })
})

describe('a result', () => {
  const ran = (more: Partial<Performed>): Performed => ({
    lines: [],
    results: [],
    refusal: null,
    problems: [],
    ...more,
  })

  test('tells what was done', () => {
    const results = [take, expire].map((line) => ({ line, state: 'done' as const }))
    expect(messageText(resultMessage('now web1', ran({ results })))).toMatchInlineSnapshot(`
      "good, to the channel: \`/backup now web1\` took 1 snapshot and expired 1 snapshot
        | main/default/web1
        |   - nightly-20261114T0300Z  no rule keeps it
        |   + nightly-20261122T0300Z  slot 2026-11-22 03:00 UTC is due"
    `)
  })

  test('doesn’t call done what has only begun', () => {
    const message = resultMessage('copy db1', ran({ results: [{ line: copy, state: 'started' }] }))
    expect(message.tone).toBe('info')
    expect(messageText(message)).toContain('started 1 copy')
  })

  test('tells first what failed, was not tried, and has no known end', () => {
    const results = [
      { line: take, state: 'refused' as const, reason: 'no space left on device' },
      { line: expire, state: 'blocked' as const },
      { line: copy, state: 'unknown' as const, reason: 'the relay gave no answer' },
      { line: { ...take, about: 'main/default/web2' }, state: 'done' as const },
    ]
    const problems = ['main/default/web1 snapshot: no space left on device', 'backup: can’t be reached']
    expect(messageText(resultMessage('now', ran({ results, problems })))).toMatchInlineSnapshot(`
      "bad, to the channel: \`/backup now\` took 1 snapshot, but 1 failed, 1 not tried after that and 1 with an unknown outcome
        \`main/default/web1\` \`nightly-20261122T0300Z\`: no space left on device
        \`main/default/web1\` \`nightly-20261114T0300Z\`: not tried, because an earlier step failed
        \`main/default/db1\` \`backup/default/db1\`: its outcome is unknown; the next tick checks whether it happened: the relay gave no answer
        backup: can’t be reached
        | main/default/web2
        |   + nightly-20261122T0300Z  slot 2026-11-22 03:00 UTC is due"
    `)
  })

  test('tells why nothing was done', () => {
    expect(messageText(resultMessage('copy db1', ran({ lines: [keep] })))).toMatchInlineSnapshot(`
      "info, to the channel: \`/backup copy db1\` had nothing to do
        | main/default/web1
        |   = nightly-20261121T0300Z  daily 1 of 7"
    `)
    const refusal = { code: 'busy' as const, reason: 'a copy of it runs: wait for its end' }
    expect(messageText(resultMessage('restore web1 x', ran({ refusal })))).toContain(
      'is refused, and nothing was changed',
    )
  })

  test('stays short over 200 failures', () => {
    const results = crowd(200).map((line) => ({ line, state: 'refused' as const, reason: 'z'.repeat(500) }))
    const done = crowd(200).map((line) => ({ line, state: 'done' as const }))
    expect(detailsLength(resultMessage('now', ran({ results: [...results, ...done] })))).toBeLessThan(2500)
  })

  test('of a pause says who, and until when', () => {
    const at = '2026-11-22T12:30:00.000Z'
    const pause = { do: 'pause', policy: 'nightly', by: 'ada', at, until: null } as const
    expect(messageText(settingMessage(pause, { user: 'U1' }))).toMatchInlineSnapshot(
      `"warning, to the channel: @U1 paused policy \`nightly\` until somebody resumes it. Until then its slots are skipped."`,
    )
    expect(
      messageText(settingMessage({ do: 'resume', policy: 'nightly' }, { user: 'U1' })),
    ).toMatchInlineSnapshot(
      `"good, to the channel: @U1 resumed policy \`nightly\`. It serves slots again from now on."`,
    )
  })
})

describe('a mistake', () => {
  test('is told to its maker only', () => {
    expect(
      messageText(mistakeMessage('there is no command "stauts": did you mean status?')),
    ).toMatchInlineSnapshot(`"warning, to the caller: There is no command "stauts": did you mean status?"`)
    expect(
      messageText(deniedMessage('expire needs the role operator, and yours is viewer')),
    ).toMatchInlineSnapshot(
      `"bad, to the caller: You may not do that: expire needs the role operator, and yours is viewer. \`/backup whoami\` shows what you may do."`,
    )
    expect(messageText(failedMessage())).toMatchInlineSnapshot(
      `"bad, to the caller: Something went wrong inside stapes, and it is not known whether anything was changed. \`/backup history\` and \`/backup status\` show it; the reason is in the Worker’s log."`,
    )
  })
})

describe('moments in the engine’s words', () => {
  test('are shown in the reader’s own zone', () => {
    expect(spoken('due since 2026-11-22T03:00:00.000Z, and 2026-11-22T04:00Z')).toEqual([
      'due since ',
      { at: '2026-11-22T03:00:00.000Z', style: 'full' },
      ', and ',
      { at: '2026-11-22T04:00Z', style: 'full' },
    ])
    expect(spoken('nightly-20261122T0300Z is kept')).toEqual(['nightly-20261122T0300Z is kept'])
  })

  test('are readable where only plain text can stand', () => {
    expect(plain('expires it at 2026-11-22T03:00:00.000Z')).toBe('expires it at 2026-11-22 03:00 UTC')
  })
})
