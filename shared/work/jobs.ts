/** One job for all actions on a subject in a run, of all kinds. */
import type { PlannedJob } from '../plan/jobs.ts'
import { type Action, KINDS } from './kinds.ts'
import { subjectsOf, verbOf } from './verbs.ts'

/**
 * Actions that others depend on go first: nothing expires unless all snapshots were taken. A job takes the
 * lock of long work if one of its actions needs it, so that no copy and no other tick runs in between.
 */
export function subjectJobs(actions: readonly Action[]): PlannedJob[] {
  const done = actions.filter((action) => verbOf(action).steps !== undefined)
  const leaders = leadersOf(done.map(subjectsOf))
  const bySubject = new Map<string, Action[]>()
  for (const action of done) {
    const key = leaders(verbOf(action).subject(action))
    const group = bySubject.get(key)
    if (group === undefined) bySubject.set(key, [action])
    else group.push(action)
  }
  return [...bySubject].map(([key, group]) => jobOf(key, group))
}

/** Of each subject the one whose job it shares: those that one action changes have one job. */
function leadersOf(together: readonly (readonly string[])[]): (key: string) => string {
  const before = new Map<string, string>()
  const leader = (key: string): string => {
    const next = before.get(key)
    return next === undefined ? key : leader(next)
  }
  for (const [first, ...others] of together)
    for (const other of others)
      if (first !== undefined && leader(other) !== leader(first)) before.set(leader(other), leader(first))
  return leader
}

function jobOf(key: string, group: readonly Action[]): PlannedJob {
  const isFirst = (action: Action): boolean => verbOf(action).first === true
  const ordered = [...group.filter(isFirst), ...group.filter((action) => !isFirst(action))]
  const parts = ordered.flatMap((action) =>
    (verbOf(action).steps?.(action) ?? []).map((step) => ({ step, action })),
  )
  const locks = group.some((action) => verbOf(action).locks?.(action) === true)
  return {
    job: { id: key, ...(locks ? { lock: key } : {}), steps: parts.map(({ step }) => step) },
    parts: parts.map(({ action }) => action),
  }
}

/** Kinds that send jobs of their own, each with its actions. */
export const senders = (actions: readonly Action[]) =>
  KINDS.flatMap(({ send, verbs }) => {
    const mine = actions.filter(({ kind }) => Object.hasOwn(verbs, kind))
    return send === undefined || mine.length === 0 ? [] : [{ send, actions: mine }]
  })
