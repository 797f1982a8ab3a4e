/** What is wrong or needs a look just now, beside the promises themselves, by what ledger and facts know. */
import { withoutAnswer } from '../answered.ts'
import { parseSubject } from '../incus/subject.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { isUnserved, reasonOf } from '../ledger/slots.ts'
import { type Applied, isUnused, overdueOf, overdueText } from '../ledger/warnings.ts'
import type { DeadChannel } from '../notify/dead.ts'
import { own } from '../own.ts'
import { instanceIn } from '../plan/brake.ts'
import { isEndless } from '../policy/contradictions.ts'
import type { Policy } from '../policy/policy.ts'
import {
  ALL,
  aboutOf,
  type Condition,
  critical,
  ofInstance,
  ofPolicy,
  ofRemote,
  warning,
} from './condition.ts'
import type { Facts } from './facts.ts'
import { beside, leftOut, lost, missing, uncovered } from './instance-conditions.ts'
import type { Promised } from './judge.ts'
import { byIncus } from './own-schedules.ts'
import { strays, unread } from './store-conditions.ts'
import { failing } from './work-conditions.ts'

export type Known = {
  /** As they hold now. */
  policies: readonly Policy[]
  applied: Applied
  /** Null: no tick has run yet. */
  ledger: Ledger | null
  /** Null: no look was noted yet. */
  facts: Facts | null
  /** Where people can't be told. */
  channels?: readonly DeadChannel[]
  now: Date
}

const DAY = 86_400_000

export function conditionsOf(known: Known, promised: readonly Promised[]): Condition[] {
  const { ledger, facts } = known
  const told =
    ledger === null
      ? []
      : [
          ...braked(ledger),
          ...(ledger.sight?.roles ?? []).map((text) => critical(`role ${text}`, text, aboutOf(text))),
        ]
  return [
    ...told,
    ...aboutTicks(known),
    ...endless(known),
    ...(known.channels ?? []).map(({ name, text, since }) =>
      warning(`channel ${name}`, text, ALL, { since }),
    ),
    ...(ledger === null
      ? []
      : [
          ...unseen(known, ledger),
          ...silent(facts),
          ...uncovered(facts),
          ...leftOut(facts),
          ...beside(facts),
          ...byIncus(ledger, known.now),
          ...lost(facts, promised),
          ...unread(known.policies, facts, known.now),
          ...strays(known.policies, facts),
          ...failing(known, ledger),
          ...missing(ledger, known.now),
          ...found(ledger),
          ...past(known, ledger),
        ]),
  ]
}

/** Whoever wants that knows it; a full pool later is none of their wishes. */
const endless = ({ policies }: Known): Condition[] =>
  policies
    .filter(isEndless)
    .map(({ name }) =>
      warning(
        `endless ${name}`,
        `policy ${name} has neither "keep" nor "expiry": nothing of it is ever removed, until the pool is full`,
        ofPolicy(name),
        { severity: 'info' },
      ),
    )

/** Whether ticks come, use what was applied, and there is something to do. */
function aboutTicks({ policies, applied, ledger, now }: Known): Condition[] {
  const overdue = overdueOf(applied, ledger, now)
  const paused = policies.filter((policy) => policy.paused)
  return [
    ...(applied.problems ?? []).map((text) => critical(`kv ${text}`, text)),
    ...(overdue === null ? [] : [critical('ticks', overdueText(overdue), ALL, { since: overdue.since })]),
    ...(isUnused(applied, ledger)
      ? [warning('applied', 'no tick has run with the applied configuration yet')]
      : []),
    ...(ledger === null ? [critical('first tick', 'no tick has run yet, so nothing is known')] : []),
    ...(policies.length === 0
      ? [critical('policies', 'there are no policies, so nothing is backed up')]
      : []),
    ...(policies.length > 0 && paused.length === policies.length
      ? [critical('paused', 'every policy is paused, so nothing is backed up')]
      : paused.map(({ name }) => warning(`paused ${name}`, `policy ${name} is paused`, ofPolicy(name)))),
  ]
}

/** Policies of which no look has shown anything, as after an update. */
function unseen({ policies, facts }: Known, { sight }: Ledger): Condition[] {
  const active = policies.filter(({ paused }) => !paused)
  if (facts === null)
    return active.length === 0
      ? []
      : [critical('look', 'no tick has looked yet at what is backed up, so nothing is known')]
  return active.flatMap(({ name, select }) => {
    const subjects = own(facts.subjects, name)
    if (subjects === undefined)
      return [warning(`unseen ${name}`, `no look has shown yet what policy ${name} covers`, ofPolicy(name))]
    // Without an answer nothing is known, which is told by itself.
    const isSilent = select.remotes.some((remote) => own(facts.silent ?? {}, remote) !== undefined)
    const isTold = sight?.warnings?.some((text) => text.startsWith(`policy ${name}:`)) === true
    if (Object.keys(subjects).length > 0 || isSilent || isTold) return []
    const text = `policy ${name} covers no instance, so it backs up nothing`
    return [warning(`empty ${name}`, text, ofPolicy(name))]
  })
}

function silent(facts: Facts | null): Condition[] {
  return Object.entries(facts?.silent ?? {}).map(([remote, { since, reason, code }]) =>
    critical(
      `remote ${remote}`,
      `${remote} has given no answer since ${since}: ${reason}`,
      ofRemote(remote),
      { since, ...(code === undefined ? {} : { code }) },
    ),
  )
}

const braked = ({ sight }: Ledger): Condition[] =>
  Object.entries(sight?.braked ?? {}).map(([key, text]) => {
    const instance = instanceIn(key)
    return critical(`brake ${key}`, text, instance === null ? ALL : ofInstance(instance))
  })

function found({ sight }: Ledger): Condition[] {
  const { problems = [], warnings = [] } = sight ?? {}
  return [
    ...problems.map((text) => critical(foundId(text), text, aboutOf(text))),
    ...warnings.map((text) => warning(foundId(text), text, aboutOf(text))),
  ]
}

const foundId = (text: string): string => `found ${withoutAnswer(text)}`

/** Slots of the last day that were not served. */
function past({ now }: Known, ledger: Ledger): Condition[] {
  const from = new Date(now.getTime() - DAY).toISOString()
  return Object.entries(ledger.policies).flatMap(([policy, { slots }]) => {
    const bad = slots.filter((one) => isUnserved(one) && (one.through ?? one.slot) >= from)
    const [last] = bad
    if (last === undefined) return []
    const many = bad.reduce((sum, { count = 1 }) => sum + count, 0)
    const what = many === 1 ? '1 slot was' : `${many} slots were`
    const why = reasonOf(last) ?? 'no reason was given'
    const text = `${what} not served completely by ${policy} within the last day, the newest of ${last.through ?? last.slot}: ${why}`
    const keys = (last.failures ?? [])
      .slice(0, 1)
      .flatMap(({ instance }) => (parseSubject(instance) === null ? [] : [instance]))
    return [warning(`slots ${policy}`, text, ofPolicy(policy), { keys, since: last.slot })]
  })
}
