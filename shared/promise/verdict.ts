/**
 * Whether all is well: the one place that says so. Status, page, notifications, metrics and exit codes show what
 * stands here, and judge nothing themselves.
 */
import { keysIn, parseSubject, pathOf, remotesIn } from '../incus/subject.ts'
import { compilePaths } from '../policy/glob.ts'
import { type Condition, HIDDEN, SEVERITIES, shownTo } from './condition.ts'
import { conditionsOf, type Known } from './conditions.ts'
import { isUncovered } from './instance-conditions.ts'
import { judgePromises, type Promised } from './judge.ts'
import { brokenText, isBroken, pendingText } from './text.ts'

/** `bad`: a promise is not kept, or may not be soon. `warning`: something needs a look. */
export type Tone = 'good' | 'warning' | 'bad'

export type Verdict = {
  tone: Tone
  promises: Promised[]
  /** Critical ones first. */
  conditions: Condition[]
}

export function verdictOf(known: Known): Verdict {
  const { policies, ledger, facts, now } = known
  const promises = facts === null ? [] : judgePromises(policies, { facts, ledger }, now)
  const found = conditionsOf(known, promises)
  const isGrave = found.some(({ severity }) => severity === 'critical')
  const all = promises.length > 0 || isGrave ? found : [NOTHING, ...found]
  const conditions = SEVERITIES.flatMap((wanted) => all.filter(({ severity }) => severity === wanted))
  return { tone: toneOf(promises, conditions), promises, conditions }
}

/** Of nothing that could be kept it can't be said that all is well. */
const NOTHING: Condition = {
  ...{ id: 'nothing', severity: 'critical', kind: 'all', about: null },
  text: 'no active policy covers any instance, so nothing is backed up',
  since: null,
}

export function toneOf(promises: readonly Promised[], conditions: readonly Condition[]): Tone {
  if (promises.some(isBroken) || conditions.some(({ severity }) => severity === 'critical')) return 'bad'
  return conditions.some(({ severity }) => severity === 'warning') ||
    promises.some(({ state }) => state === 'pending')
    ? 'warning'
    : 'good'
}

/** One thing that isn't well. */
export type Trouble = {
  /** Of a first one that is still to come, `warning`. */
  tone: Exclude<Tone, 'good'>
  /** As in a condition: of a promise, the instance. */
  about: string | null
  text: string
  /** ISO 8601; null: that isn't known. */
  since: string | null
}

/** All that isn't well, the gravest first. What was said once isn't said again. */
export function troublesOf({ promises, conditions }: Verdict): Trouble[] {
  const grave = conditions.filter(({ severity }) => severity === 'critical')
  const said = new Set<string>()
  const isSaid = (reason: string): boolean =>
    said.has(reason) || grave.some(({ text }) => text.includes(reason))
  const troubles: Trouble[] = grave.map(({ about, text, since }) => ({ tone: 'bad', about, text, since }))
  for (const promised of promises.filter(isBroken)) {
    const { subject: about, since, reason } = promised
    const text = brokenText(promised, reason !== null && isSaid(reason) ? [reason] : [])
    if (reason !== null) said.add(reason)
    troubles.push({ tone: 'bad', about, text, since })
  }
  for (const { severity, about, text, reason, since } of conditions) {
    // A promise's reason has the time of the next try with it.
    const isTold =
      reason !== undefined && (isSaid(reason) || [...said].some((other) => other.includes(reason)))
    if (severity === 'warning' && !isTold) troubles.push({ tone: 'warning', about, text, since })
  }
  const pending = promises.filter(({ state }) => state === 'pending')
  return [
    ...troubles,
    ...pending.map(
      (one): Trouble => ({ tone: 'warning', about: one.subject, text: pendingText(one), since: null }),
    ),
  ]
}

/** The same in words alone. */
export const textsOf = (verdict: Verdict): string[] => troublesOf(verdict).map(({ text }) => text)

/** Of what may be seen. The tone is of that alone. */
export function visibleTo(verdict: Verdict, maySee: (key: string) => boolean): Verdict {
  const promises = verdict.promises
    .filter(({ subject }) => maySee(subject))
    .map((promised) => withReasonFor(promised, maySee))
  const sources = new Map(promises.map(({ target, subject }) => [target, subject]))
  const sourceOf = (copy: string): string | undefined => sources.get(copy)
  const conditions = verdict.conditions.flatMap((condition) => shownTo(condition, maySee, sourceOf) ?? [])
  const tone = toneOf(promises, conditions)
  if (promises.length > 0 || tone === 'bad') return { tone, promises, conditions }
  return { tone: 'bad', promises, conditions: [unpromised('what you may see', undefined), ...conditions] }
}

/** What is promised of an instance is told with the place of its copy; an error may name others. */
function withReasonFor(promised: Promised, maySee: (key: string) => boolean): Promised {
  const { subject, target, reason } = promised
  const isShown =
    reason === null || keysIn(reason).every((key) => key === target || key === subject || maySee(key))
  return isShown ? promised : { ...promised, reason: `its ${HIDDEN}` }
}

type Only = { policy?: string | undefined; subject?: string | undefined }

/**
 * About that policy, or that instance, which may be a copy: by its key, or as requests name it. What is wrong with all
 * of it stays.
 */
export function narrowTo(verdict: Verdict, { policy, subject }: Only): Verdict {
  if (policy === undefined && subject === undefined) return verdict
  const isIt = subject === undefined ? null : fitting(subject)
  const named = [subject, policy].filter((name) => name !== undefined).join(' by ')
  return narrowed(verdict, { policy, isIt, named })
}

function fitting(subject: string): (key: string) => boolean {
  if (parseSubject(subject) !== null) return (key) => key === subject
  const fits = compilePaths([subject])
  return (key) => parseSubject(key) !== null && fits(pathOf(key))
}

/** About the instances, which may be copies, whose keys fit. `named` is what they are called by. */
export const narrowToFitting = (verdict: Verdict, isIt: (key: string) => boolean, named: string): Verdict =>
  narrowed(verdict, { policy: undefined, isIt, named })

type Narrow = { policy: string | undefined; isIt: ((key: string) => boolean) | null; named: string }

function narrowed(verdict: Verdict, { policy, isIt, named }: Narrow): Verdict {
  const promises = verdict.promises.filter(
    (one) =>
      (policy ?? one.policy) === one.policy &&
      (isIt === null || isIt(one.subject) || (one.target !== null && isIt(one.target))),
  )
  const about = new Set([
    ...(policy === undefined ? [] : [`policy ${policy}`]),
    ...promises.flatMap((one) => [
      `policy ${one.policy}`,
      `instance ${one.subject}`,
      ...(one.target === null ? [] : [`instance ${one.target}`]),
      ...remotesIn([one.subject, one.target]).map((remote) => `remote ${remote}`),
    ]),
  ])
  const conditions = verdict.conditions.filter(
    (one) =>
      one.kind === 'all' ||
      (one.kind === 'instance' && isIt?.(one.about ?? '') === true) ||
      (about.has(`${one.kind} ${one.about}`) && !isUncovered(one)),
  )
  const all = promises.length > 0 ? conditions : [...conditions, unpromised(named, policy)]
  return { tone: toneOf(promises, all), promises, conditions: all }
}

const unpromised = (named: string, policy: string | undefined): Condition => ({
  id: `unpromised ${named}`,
  severity: 'critical',
  ...(parseSubject(named) !== null
    ? { kind: 'instance', about: named }
    : named === policy
      ? { kind: 'policy', about: policy }
      : { kind: 'all', about: null }),
  text: `nothing is promised of ${named}: no active policy covers it, or no look has shown it yet, or it is called otherwise`,
  since: null,
})
