/** What is wrong or needs a look just now, beside the promises themselves, by what ledger and facts know. */
import { instanceOf, keysIn, parseSubject, remoteOf } from '../incus/subject.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { isUnserved, reasonOf } from '../ledger/slots.ts'
import { type Applied, goneText, isUnused, overdueOf, overdueText } from '../ledger/warnings.ts'
import { keyIn, kindIn, subjectIn, targetIn } from '../ledger/work.ts'
import type { DeadChannel } from '../notify/dead.ts'
import { own } from '../own.ts'
import { instanceIn } from '../plan/brake.ts'
import { isLeftIn } from '../plan/sight.ts'
import { isEndless } from '../policy/contradictions.ts'
import { named } from '../policy/misplaced.ts'
import type { Policy } from '../policy/policy.ts'
import { isPausedBy } from '../policy/skip.ts'
import { COPY } from '../work/copy/entry.ts'
import { ENDS } from '../work/life.ts'
import { type Facts, parsePair } from './facts.ts'
import type { Promised } from './judge.ts'
import { scheduleIn } from './own-schedules.ts'
import { MOST_NOTED } from './unprotected.ts'

/**
 * `critical`: something isn't backed up, or may not be. `warning`: it needs a look. `info`: for the record.
 */
export const SEVERITIES = ['critical', 'warning', 'info'] as const
export type Severity = (typeof SEVERITIES)[number]

export type Condition = {
  /** The same trouble has the same id at each look. */
  id: string
  severity: Severity
  /** What `about` names. */
  kind: 'all' | 'remote' | 'policy' | 'instance'
  /** A remote, a policy, or the key of an instance; null: all. */
  about: string | null
  /** Instances that the text names, or whose reason it has, otherwise than by their keys. */
  keys?: string[]
  /** All instances that it is about, where each one more is news. */
  each?: string[]
  /** What is wrong, and what to do. */
  text: string
  /** The part of it that others may say too. */
  reason?: string
  /** ISO 8601; null: that isn't known. */
  since: string | null
}

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
          ...lost(facts, promised),
          ...failing(known, ledger),
          ...missing(ledger, known.now),
          ...found(ledger),
          ...past(known, ledger),
        ]),
  ]
}

type About = Pick<Condition, 'kind' | 'about'>

const ALL: About = { kind: 'all', about: null }
const ofRemote = (about: string): About => ({ kind: 'remote', about })
const ofPolicy = (about: string): About => ({ kind: 'policy', about })
const ofInstance = (about: string): About => ({ kind: 'instance', about })

type More = Partial<Omit<Condition, keyof About>>

const critical = (id: string, text: string, about: About = ALL, more: More = {}): Condition => ({
  ...{ id, severity: 'critical', text, since: null },
  ...about,
  ...more,
})

const warning = (id: string, text: string, about: About = ALL, more: More = {}): Condition =>
  critical(id, text, about, { severity: 'warning', ...more })

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
  return Object.entries(facts?.silent ?? {}).map(([remote, { since, reason }]) =>
    critical(
      `remote ${remote}`,
      `${remote} has given no answer since ${since}: ${reason}`,
      ofRemote(remote),
      { since },
    ),
  )
}

const braked = ({ sight }: Ledger): Condition[] =>
  Object.entries(sight?.braked ?? {}).map(([key, text]) => {
    const instance = instanceIn(key)
    return critical(`brake ${key}`, text, instance === null ? ALL : ofInstance(instance))
  })

/** What a text of a look begins with: an instance, or a policy; else a place, which is nothing in particular. */
function aboutOf(text: string): About {
  const [, begin = ''] = /^(.+?): /.exec(text) ?? []
  const policy = /^policy (\S+)$/.exec(begin)?.[1]
  if (policy !== undefined) return ofPolicy(policy)
  return parseSubject(begin) === null ? ALL : ofInstance(begin)
}

const NAMED = 5

function someOf(names: readonly string[]): string {
  const more = names.length - NAMED
  const few = names.slice(0, NAMED).join(', ')
  if (more <= 0) return few
  return `${few} and ${names.length < MOST_NOTED ? '' : 'at least '}${more} more`
}

function uncovered(facts: Facts | null): Condition[] {
  return Object.entries(facts?.uncovered ?? {}).map(([place, text]) => {
    const names = text.split(' ')
    const each = names.map((name) => `${place}/${name}`)
    const keys = each.slice(0, NAMED)
    return critical(`uncovered ${place}`, uncoveredText(place, names), ofRemote(remoteOf(place)), {
      keys,
      each,
    })
  })
}

/** `place`: `remote/project`. */
export function uncoveredText(place: string, names: readonly string[]): string {
  const example = named(instanceOf(`${place}/${names[0]}`))
  const [is, them] = names.length === 1 ? ['is', 'it'] : ['are', 'them']
  return `under no policy, so not backed up, ${is} on ${place}: ${someOf(names)}. Select ${them} in a policy, or leave ${them} out on purpose: incus config set ${example} user.stapes.exclude=true`
}

/** About instances that no policy covers: those that one covers are not to blame. */
export const isUncovered = ({ id }: Condition): boolean => id.startsWith('uncovered ')

/** For the record: somebody wanted it so. A pause is meant to end. */
const leftOut = (facts: Facts | null): Condition[] =>
  Object.entries(facts?.leftOut ?? {}).map(([reason, text]) => {
    const keys = text.split(' ')
    const told = `not backed up, because it is ${reason}: ${someOf(keys)}`
    return isPausedBy(reason)
      ? warning(`left out ${reason}`, told, ALL, { each: keys })
      : warning(`left out ${reason}`, told, ALL, { severity: 'info' })
  })

/** Two schedules work on one instance. stapes leaves the snapshots of the other one alone, so nothing but Incus ends them. */
const beside = (facts: Facts | null): Condition[] =>
  Object.entries(facts?.scheduled ?? {}).map(([group, text]) => {
    const { schedule, expiry } = scheduleIn(group)
    const keys = text.split(' ')
    const unset = `incus config unset ${named(instanceOf(keys[0] ?? ''))} snapshots.schedule`
    const taken = `Incus itself takes snapshots as well, by snapshots.schedule "${schedule}", of ${someOf(keys)}`
    const ends =
      expiry === ''
        ? 'they have no snapshots.expiry, and stapes leaves them alone, so nothing removes them until the pool is full'
        : `they end by snapshots.expiry "${expiry}", and stapes leaves them alone`
    return warning(
      `schedule ${group}`,
      `${taken}: ${ends}. If the policy is to do it alone: ${unset} (or unset it in the profile that has it)`,
      ALL,
      { severity: expiry === '' ? 'warning' : 'info' },
    )
  })

/** The newest verified snapshot of a copy is gone there. */
function lost(facts: Facts | null, promised: readonly Promised[]): Condition[] {
  const seen = new Set<string>()
  return promised.flatMap(({ kind, policy, subject, target, newest }) => {
    const fact = own(own(facts?.subjects ?? {}, policy) ?? {}, subject)
    const pair = parsePair(fact?.lost)
    if (kind !== 'copy' || pair === null || seen.has(`${target}`)) return []
    seen.add(`${target}`)
    const left =
      newest === null
        ? 'it holds nothing verified any more'
        : `its newest verified one is ${newest.snapshot} now`
    // What is made again by now people should know of all the same.
    const isBack = newest !== null && Date.parse(newest.at) >= pair[1] * 1000
    const was =
      isBack && fact?.lostAt !== undefined
        ? `was gone from the copy ${target} at ${fact.lostAt}`
        : `is gone from the copy ${target}`
    return [
      critical(
        `lost ${target}`,
        `the verified snapshot ${pair[0]} ${was}, and stapes did not remove it: ${left}. Did somebody delete it there, or was the server taken over?`,
        ofInstance(subject),
        { severity: isBack ? 'warning' : 'critical' },
      ),
    ]
  })
}

/** Long work that failed, and tries for the open slots. */
function failing(known: Known, { work, policies }: Ledger): Condition[] {
  const broken = Object.entries(work).flatMap(([key, entry]): Condition[] => {
    const { attempts, retryAt, reason = 'no reason was given' } = entry
    const runs = ENDS[entry.state] === null
    // While it is tried again it is no better than before.
    if (ENDS[entry.state] === 'good' || (runs && attempts === 0)) return []
    const retried = runs ? `; it is tried again since ${entry.at}` : ''
    const again = retryAt === undefined ? retried : `; next try at ${retryAt}`
    const how = entry.state === 'unknown' ? 'ended with an unknown outcome' : 'failed'
    const counted = attempts === 0 ? 'waits' : `${how} (${tries(attempts)})`
    const text = `the ${kindIn(key)} of ${keyIn(key)} ${counted}: ${reason}${again}`
    const isFirst = attempts === 1 && (retryAt !== undefined || runs)
    if (isUnwanted(key, known)) {
      const over = `the ${kindIn(key)} of ${keyIn(key)} ${counted}, and is made no longer: ${reason}`
      return [critical(key, over, ofInstance(subjectIn(key)), { severity: 'info', since: entry.at })]
    }
    const severity = attempts === 0 || isFirst ? 'warning' : 'critical'
    return [critical(key, text, ofInstance(subjectIn(key)), { severity, since: entry.at, reason })]
  })
  const slots = Object.entries(policies).flatMap(([policy, { open }]) =>
    Object.entries(open?.attempts ?? {}).map(([about, { count, reason, retryAt }]) => {
      const again = retryAt === undefined ? '' : `; next try at ${retryAt}`
      const what = about.startsWith(REMOTE)
        ? `${about.slice(REMOTE.length)} could not be read for the slot`
        : `${about} has no snapshot of the slot`
      const text = `${what} ${open?.slot} of ${policy} yet (${tries(count)}): ${reason}${again}`
      // A second try follows within two minutes.
      const severity = count === 1 && retryAt !== undefined ? 'warning' : 'critical'
      const more = { severity, since: open?.slot ?? null, reason } as const
      return critical(`slot ${policy} ${about}`, text, placeOf(about), more)
    }),
  )
  return [...broken, ...slots]
}

/** A copy that no policy wants any more, by what the last look has shown. */
function isUnwanted(key: string, { policies, facts }: Known): boolean {
  const source = subjectIn(key)
  if (kindIn(key) !== COPY || facts === null || own(facts.silent ?? {}, remoteOf(source)) !== undefined)
    return false
  return policies.every(({ name, copy }) => {
    const subjects = own(facts.subjects, name)
    // One that no look has shown yet may want it.
    if (subjects === undefined) return false
    const fact = own(subjects, source)
    return (
      copy === null ||
      fact === undefined ||
      fact.uncopied === true ||
      (fact.place ?? targetIn(key)) !== targetIn(key)
    )
  })
}

const tries = (count: number): string => (count === 1 ? '1 try' : `${count} tries`)

/** `remote:main` stands for all of a remote. */
const placeOf = (key: string): About =>
  key.startsWith(REMOTE) ? ofRemote(key.slice(REMOTE.length)) : ofInstance(key)

const REMOTE = 'remote:'

function found({ sight }: Ledger): Condition[] {
  const { problems = [], warnings = [] } = sight ?? {}
  return [
    ...problems.map((text) => critical(`found ${text}`, text, aboutOf(text))),
    ...warnings.map((text) => warning(`found ${text}`, text, aboutOf(text))),
  ]
}

/** For so many milliseconds it is critical that nothing of a project is left. */
const GRAVE = 3 * DAY

/** Covered instances that are no longer listed: some of a place, or all that was covered there. */
function missing({ sight }: Ledger, now: Date): Condition[] {
  const gone = Object.entries(sight?.gone ?? {}).sort()
  const [some, whole] = [true, false].map((left) =>
    gone.filter(([key]) => isLeftIn(sight?.covered ?? {}, key) === left),
  ) as [typeof gone, typeof gone]
  return [whole, some].flatMap((all): Condition[] => {
    const [first] = all
    if (first === undefined) return []
    const each = all.map(([key]) => key)
    const about = ofInstance(first[0])
    const text = goneText(all)
    if (all === some) return [warning('missing some', text, about, { each })]
    const isGrave = all.some(([, since]) => now.getTime() - Date.parse(since) < GRAVE)
    const places = [...new Set(each.map((key) => key.slice(0, key.lastIndexOf('/'))))]
    const said = `nothing of what was covered in ${someOf(places)} is listed any more: ${text}. Has the relay's certificate lost the project there? If all of it was deleted on purpose, nothing is left to do`
    return [critical('missing whole', said, about, { each, severity: isGrave ? 'critical' : 'warning' })]
  })
}

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

/**
 * As somebody may be shown it, who may not see everything; null: not at all. An error may name paths that look like
 * instances, so of an instance that may be seen at least that there is something is said.
 */
export function shownTo(condition: Condition, maySee: (key: string) => boolean): Condition | null {
  const { id, severity, kind, about, keys = [], text, since } = condition
  const isAllowed = kind !== 'instance' || (about !== null && maySee(about))
  if (!isAllowed) return null
  if ([...keys, ...keysIn(text)].every(maySee)) return condition
  if (kind !== 'instance') return null
  return {
    ...{ id: `hidden ${id.split(' ', 1)[0]} ${about}`, severity, kind, about, since },
    text: `${about} has a problem whose words name what you may not see: ask somebody who may`,
  }
}
