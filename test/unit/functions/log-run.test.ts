import { afterEach, expect, test, vi } from 'vitest'
import { logRun } from '../../../functions/log-run.ts'
import { summarize } from '../../../functions/summary.ts'
import type { Plan } from '../../../shared/plan/plan.ts'
import type { Action } from '../../../shared/work/kinds.ts'

const log = vi.spyOn(console, 'log').mockImplementation(() => {})
afterEach(() => log.mockClear())

const plan: Plan<Action> = {
  ...{ at: '2026-11-22T03:00:10.000Z', actions: [], notes: [], slots: [], work: {}, wake: [] },
  ...{ frozen: {}, braked: {}, stalled: {}, allowed: {}, requested: false, refusal: null, approval: 'self' },
}

test('a run that looked at Incus is one line of JSON, without what the API alone needs', () => {
  const { summary } = summarize('tick', plan, [])
  expect(logRun(summary, { id: 'r1' })).toBe(summary)
  const logged = JSON.parse(String(log.mock.calls[0]?.[0])) as object
  expect(logged).toMatchObject({ run: 'r1', at: plan.at, trigger: 'tick', lines: [], problems: [] })
  expect(logged).not.toHaveProperty('results')
})

test('one that found nothing due is none', () => {
  logRun({ state: 'idle', until: plan.at }, {})
  expect(log).not.toHaveBeenCalled()
})
