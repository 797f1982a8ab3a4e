/**
 * The part of a plan, or of a run's result, that an actor may see: lines of other instances would reveal
 * their names.
 */

import type { Line } from '../plan/line.ts'
import type { AnyAction, Plan, Refusal } from '../plan/plan.ts'
import { subjectsOf } from '../work/verbs.ts'
import { deniedKeys, type Permission, reachOf } from './permit.ts'

export function visiblePlan<Action extends AnyAction>(
  plan: Plan<Action>,
  permission: Permission,
): Plan<Action> {
  const sees = reachOf(permission)
  return {
    ...plan,
    actions: plan.actions.filter((action) => subjectsOf(action).every(sees)),
    notes: plan.notes.filter(({ about }) => sees(about)),
    refusal: visibleRefusal(plan.refusal, permission),
  }
}

/** A problem begins with what it is about. */
export function visibleRun<
  Run extends { lines: readonly Line[]; refusal: Refusal | null; problems: readonly string[] },
>(run: Run, permission: Permission): Run {
  if (isUnlimited(permission)) return run
  const sees = reachOf(permission)
  return {
    ...run,
    lines: run.lines.filter(({ about }) => sees(about)),
    problems: run.problems.filter((problem) => sees(aboutOf(problem))),
    refusal: visibleRefusal(run.refusal, permission),
  }
}

const aboutOf = (problem: string): string => (/^\S+/.exec(problem)?.[0] ?? '').replace(/:$/, '')

const isUnlimited = (permission: Permission): boolean => permission.allowed && permission.instances === null

const KEY = /[\w.-]+\/[^\s/"',;:()]+\/[\w-]+(?::[\w.-]*\w)?/g

/** A refusal without a key is hidden as well: it may suggest a similar name. */
function visibleRefusal(refusal: Refusal | null, permission: Permission): Refusal | null {
  if (refusal === null || isUnlimited(permission)) return refusal
  const keys = refusal.reason.match(KEY) ?? []
  if (keys.length > 0 && deniedKeys(permission, keys).length === 0) return refusal
  return {
    code: 'not-found',
    reason: 'there is no such instance or snapshot among those that your grants cover',
  }
}
