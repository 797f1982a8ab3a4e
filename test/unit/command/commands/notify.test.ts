import { expect, test } from 'vitest'
import { notify } from '../../../../shared/command/commands/notify.ts'
import type { Tested } from '../../../../shared/notify/tested.ts'
import { configOf } from '../../policy/instances.ts'
import { said, seenOf } from './seen.ts'

const answer = (tested: Tested[], what = 'test'): string =>
  said(notify, seenOf({ config: configOf({}), tested }), { what })

test('shows what each channel made of the test', () => {
  const text = answer([
    { name: 'ops', type: 'slack', ok: true },
    { name: 'phone', type: 'ntfy', ok: false, reason: '403: forbidden' },
  ])
  expect(text).toMatch(/^warning, to the caller: 1 channel of 2 took the message/)
  expect(text).toContain('`phone` (ntfy): failed: 403: forbidden')
})

test('says where there is no channel, and does nothing for another word', () => {
  expect(answer([])).toContain('There are no notification channels')
  expect(answer([], 'all')).toContain('Nothing was sent')
})
