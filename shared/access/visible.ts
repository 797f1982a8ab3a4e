/**
 * The part of a plan, or of a run's result, that an actor may see: lines of other instances would reveal
 * their names.
 */

import { remoteOf } from '../incus/subject.ts'
import type { Line } from '../plan/line.ts'
import type { AnyAction, Plan, Refusal } from '../plan/plan.ts'
import { HIDDEN } from '../promise/condition.ts'
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
    notes: plan.notes.filter(({ about }) => sees(about)).map((note) => withoutOthers(note, sees)),
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
    lines: run.lines.filter(({ about }) => sees(about)).map((line) => withoutOthers(line, sees)),
    problems: run.problems
      .map((text) => ({ about: aboutOf(text), text }))
      .filter(({ about }) => sees(about))
      .map(({ about, text }) => (namesOthers(text, about, sees) ? `${about}: its ${HIDDEN}` : text)),
    refusal: visibleRefusal(run.refusal, permission),
  }
}

const aboutOf = (problem: string): string => (/^\S+/.exec(problem)?.[0] ?? '').replace(/:$/, '')

const isUnlimited = (permission: Permission): boolean => permission.allowed && permission.instances === null

const KEY = /[\w.-]+\/[^\s/"',;:()]+\/[\w-]+(?::[\w.-]*\w)?/g

type Sees = (key: string) => boolean

/** Others beside it, as members of its group. What is elsewhere may be its own copy. */
const namesOthers = (text: string, about: string, sees: Sees): boolean =>
  (text.match(KEY) ?? []).some((key) => remoteOf(key) === remoteOf(about) && !sees(key))

const withoutOthers = <Told extends { about: string; reason: string }>(told: Told, sees: Sees): Told =>
  namesOthers(told.reason, told.about, sees) ? { ...told, reason: `its ${HIDDEN}` } : told

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
