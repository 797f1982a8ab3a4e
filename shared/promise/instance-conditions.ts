/** What is wrong with instances and their copies, by what the looks have shown of them. */
import { instanceOf, remoteOf } from '../incus/subject.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { goneText } from '../ledger/warnings.ts'
import { own } from '../own.ts'
import { isLeftIn } from '../plan/sight.ts'
import { isPausedBy } from '../policy/skip.ts'
import { named } from '../shell.ts'
import { ALL, type Condition, critical, ofInstance, ofRemote, warning } from './condition.ts'
import { type Fact, type Facts, parsePair } from './facts.ts'
import type { Promised } from './judge.ts'
import { scheduleIn } from './own-schedules.ts'
import { MOST_NOTED } from './unprotected.ts'

const DAY = 86_400_000
const NAMED = 5

function someOf(names: readonly string[]): string {
  const more = names.length - NAMED
  const few = names.slice(0, NAMED).join(', ')
  if (more <= 0) return few
  return `${few} and ${names.length < MOST_NOTED ? '' : 'at least '}${more} more`
}

export function uncovered(facts: Facts | null): Condition[] {
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
export const leftOut = (facts: Facts | null): Condition[] =>
  Object.entries(facts?.leftOut ?? {}).map(([reason, text]) => {
    const keys = text.split(' ')
    const told = `not backed up, because it is ${reason}: ${someOf(keys)}`
    return isPausedBy(reason)
      ? warning(`left out ${reason}`, told, ALL, { each: keys })
      : warning(`left out ${reason}`, told, ALL, { severity: 'info' })
  })

/** Two schedules work on one instance. stapes leaves the snapshots of the other one alone, so nothing but Incus ends them. */
export const beside = (facts: Facts | null): Condition[] =>
  Object.entries(facts?.scheduled ?? {}).map(([group, text]) => {
    const { schedule, expiry } = scheduleIn(group)
    const keys = text.split(' ')
    const taken = `Incus itself takes snapshots as well, by snapshots.schedule "${schedule}", of ${someOf(keys)}`
    const ends =
      expiry === ''
        ? 'they have no snapshots.expiry, and stapes leaves them alone, so nothing removes them until the pool is full'
        : `they end by snapshots.expiry "${expiry}", and stapes leaves them alone`
    return warning(
      `schedule ${group}`,
      `${taken}: ${ends}. If the policy is to do it alone: /backup take-over ${keys[0]}`,
      ALL,
      expiry === '' ? { each: keys } : { severity: 'info' },
    )
  })

/** Verified snapshots of a copy are gone there: the newest one, or others. */
export function lost(facts: Facts | null, promised: readonly Promised[]): Condition[] {
  const seen = new Set<string>()
  return promised.flatMap(({ kind, policy, subject, target, newest }) => {
    const fact = own(own(facts?.subjects ?? {}, policy) ?? {}, subject)
    const pair = parsePair(fact?.lost)
    const others = (fact?.missing ?? '').split(' ').flatMap((one) => parsePair(one)?.[0] ?? [])
    if (kind !== 'copy' || (pair === null && others.length === 0) || seen.has(`${target}`)) return []
    seen.add(`${target}`)
    const left =
      newest === null
        ? 'it holds nothing verified any more'
        : `its newest verified one is ${newest.snapshot} now`
    // What is made again by now people should know of all the same.
    const isBack = pair === null || (newest !== null && Date.parse(newest.at) >= pair[1] * 1000)
    const what =
      pair === null ? othersText(others, target) : lostText(pair[0], { target, others, fact, isBack })
    return [
      critical(
        `lost ${target}`,
        `${what}, and stapes did not remove ${others.length + (pair === null ? 0 : 1) === 1 ? 'it' : 'them'}: ${left}. Did somebody delete something there, or was the server taken over?`,
        ofInstance(subject),
        { severity: isBack ? 'warning' : 'critical' },
      ),
    ]
  })
}

const othersText = (others: readonly string[], target: string | null): string =>
  others.length === 1
    ? `the verified snapshot ${others[0]} is gone from the copy ${target}`
    : `${others.length} verified snapshots are gone from the copy ${target} (${someOf(others)})`

type Lost = { target: string | null; others: readonly string[]; fact: Fact | undefined; isBack: boolean }

function lostText(name: string, { target, others, fact, isBack }: Lost): string {
  const was =
    isBack && fact?.lostAt !== undefined
      ? `was gone from the copy ${target} at ${fact.lostAt}`
      : `is gone from the copy ${target}`
  const more = others.length === 0 ? '' : `, and so ${others.length === 1 ? 'is' : 'are'} ${someOf(others)}`
  return `the verified snapshot ${name} ${was}${more}`
}

/** For so many milliseconds it is critical that nothing of a project is left. */
const GRAVE = 3 * DAY

/** Covered instances that are no longer listed: some of a place, or all that was covered there. */
export function missing({ sight }: Ledger, now: Date): Condition[] {
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
