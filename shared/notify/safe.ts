/** What is still safe, in lines: of each instance the newest verified snapshot, and where. */
import { ageOf } from '../chat/age.ts'
import { count } from '../chat/words.ts'
import type { Promised } from '../promise/judge.ts'

const SHOWN = 3

type Newest = { subject: string; promised: Promised }

export function safeLines(promises: readonly Promised[], now: Date): string[] {
  const all = bestOf(promises)
  if (all.length === 0) return []
  const bare = all.filter(({ promised }) => promised.newest === null)
  const some = all.filter(({ promised }) => promised.newest !== null).sort(byAge)
  const none = bare.length === 0 ? [] : [`No backup is known of ${named(bare)}.`]
  const shown = some.slice(0, SHOWN).map(({ subject, promised }) => lineOf(subject, promised, now))
  const more = some.length - shown.length
  const until = untilOf(promises)
  return [
    ...none,
    ...(some.length === 0
      ? []
      : [some.length === 1 ? 'Still safe:' : 'Still safe, the oldest first:', ...shown]),
    ...(more > 0 ? [`… and ${count(more, 'instance')} with newer ones`] : []),
    ...(until === null ? [] : [`What was promised is kept until ${until}, if nothing more happens.`]),
  ]
}

function lineOf(subject: string, { kind, target, newest }: Promised, now: Date): string {
  const { snapshot = '', at = '' } = newest ?? {}
  const where = {
    snapshot: 'on its own server only',
    copy: `verified on ${target}`,
    export: `in an export in ${target}`,
  }[kind]
  return `• ${subject}: ${snapshot}, ${ageOf(at, now)} old, ${where}`
}

/** What lies elsewhere counts more than a snapshot on the server that may be lost; a copy is there at once, a file isn't. */
function bestOf(promises: readonly Promised[]): Newest[] {
  const best = new Map<string, Promised>()
  for (const promised of promises) {
    const known = best.get(promised.subject)
    if (known === undefined || rank(promised) > rank(known)) best.set(promised.subject, promised)
  }
  return [...best].map(([subject, promised]) => ({ subject, promised }))
}

const rank = ({ kind, newest }: Promised): string => (newest === null ? '' : `${RANKS[kind]} ${newest.at}`)

const RANKS = { snapshot: 1, export: 2, copy: 3 } as const

const byAge = (one: Newest, other: Newest): number =>
  (one.promised.newest?.at ?? '') < (other.promised.newest?.at ?? '') ? -1 : 1

function named(bare: readonly Newest[]): string {
  const names = bare.slice(0, SHOWN).map(({ subject }) => subject)
  return bare.length > SHOWN ? `${names.join(', ')} and ${bare.length - SHOWN} more` : names.join(', ')
}

/** Only where all of it is still kept. */
function untilOf(promises: readonly Promised[]): string | null {
  if (promises.some(({ state }) => state !== 'kept')) return null
  return promises.map(({ until }) => until ?? '').sort()[0] ?? null
}
