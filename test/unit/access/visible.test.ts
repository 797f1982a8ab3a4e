import { expect, test } from 'vitest'
import type { Permission } from '../../../shared/access/permit.ts'
import { visiblePlan, visibleRun } from '../../../shared/access/visible.ts'
import type { Line } from '../../../shared/plan/line.ts'
import type { Plan, Refusal } from '../../../shared/plan/plan.ts'
import type { Action } from '../../../shared/work/kinds.ts'

const SOME: Permission = { allowed: true, instances: ['main/default/web*'] }
const ALL: Permission = { allowed: true, instances: null }

const ref = (instance: string) => ({ remote: 'main', project: 'default', instance })
const hold = (instance: string) => ({
  ...{ kind: 'mark' as const, ref: ref(instance), snapshot: 's' },
  ...{ note: 'x', expiresAt: null, reason: '' },
})
const note = (about: string) => ({ kind: 'problem' as const, about, reason: 'lost' })

const plan = (refusal: Refusal | null = null): Plan<Action> => ({
  ...{
    at: '2026-11-23T03:00:00Z',
    slots: [],
    work: {},
    frozen: {},
    braked: {},
    stalled: {},
    allowed: {},
    wake: [],
    requested: true,
  },
  ...{ approval: 'self', refusal },
  actions: [hold('web1'), hold('payroll')],
  notes: [note('main/default/web2'), note('main/default/payroll'), note('remote:vault')],
})

test('a plan shows the lines of what somebody’s grants reach', () => {
  const { actions, notes } = visiblePlan(plan(), SOME)
  expect(actions).toMatchObject([{ ref: { instance: 'web1' } }])
  expect(notes.map(({ about }) => about)).toEqual(['main/default/web2'])
})

test('to whom everything is granted, everything is shown', () => {
  expect(visiblePlan(plan(), ALL)).toEqual(plan())
})

const GENERAL = 'there is no such instance or snapshot among those that your grants cover'

test.each<[string, Refusal, string]>([
  [
    'about an instance within reach',
    { code: 'unverified', reason: 'nobody saw that s of main/default/web1 was made' },
    'nobody saw that s of main/default/web1 was made',
  ],
  ['about another', { code: 'busy', reason: 'main/default/payroll: a copy of it is running' }, GENERAL],
  ['about both', { code: 'ambiguous', reason: 'it may be main/default/web1, main/hr/web1' }, GENERAL],
  [
    'that suggests a name',
    { code: 'not-found', reason: 'no instance "payrol"; did you mean "payroll"?' },
    GENERAL,
  ],
])('a refusal %s', (_, refusal, shown) => {
  expect(visiblePlan(plan(refusal), SOME).refusal?.reason).toBe(shown)
})

test('what came of a run leaves others’ lines and problems out', () => {
  const line = (about: string): Line => ({ about, sign: '!', what: '', reason: 'lost' })
  const run = {
    lines: [line('main/default/web1'), line('main/default/payroll')],
    problems: ['main/default/web1 copy: refused', 'main/default/payroll: gone', 'the ledger was not written'],
    refusal: null,
  }
  expect(visibleRun(run, SOME)).toEqual({
    lines: [line('main/default/web1')],
    problems: ['main/default/web1 copy: refused'],
    refusal: null,
  })
})

test('a reason names no other beside it, as a member of its group, and its own copy all the same', () => {
  const kept = (reason: string) => ({ ...note('main/default/web1'), reason })
  const others = 'it was taken together with that of main/default/payroll, which stays: held for the audit'
  const own = 'backup/default/web1 has it, and main/default/web2 needs it'
  const notes = [kept(others), kept(own)]
  const hidden = 'its words name what you may not see: ask somebody who may'
  expect(visiblePlan({ ...plan(), notes }, SOME).notes).toEqual([kept(hidden), kept(own)])
  expect(visiblePlan({ ...plan(), notes }, ALL).notes).toEqual(notes)
  const lines = notes.map(({ about, reason }): Line => ({ about, sign: '=', what: '', reason }))
  const problems = [`main/default/web1: ${others}`, `main/default/web1: ${own}`]
  const run = visibleRun({ lines, problems, refusal: null }, SOME)
  expect(run.lines.map(({ reason }) => reason)).toEqual([hidden, own])
  expect(run.problems).toEqual([`main/default/web1: ${hidden}`, `main/default/web1: ${own}`])
})
