/** Policies that copy one instance to one place, and want its copies to end otherwise: the first of them decides. */
import { subjectKey } from '../incus/subject.ts'
import type { Coverage } from './cover.ts'
import { targetOf } from './places.ts'

type Warning = { policy: string; about: string; reason: string }
type Side = { policy: string; expiry: string | null }
type Found = { first: Side; later: Side; keys: string[] }

/** Instances that are named. */
const NAMED = 5

/** In the document's order, each for the later one of two policies. */
export function sharedCopyWarnings(coverages: readonly Pick<Coverage, 'policy' | 'covered'>[]): Warning[] {
  const first = new Map<string, Side>()
  const found = new Map<string, Found>()
  for (const { policy, covered } of coverages)
    for (const { ref, key, policy: own } of covered) {
      if (own.copy === null || own.paused || policy.paused) continue
      const later: Side = { policy: policy.name, expiry: own.copy.expiry }
      const place = `${key}>${subjectKey(targetOf(ref, own.copy))}`
      const before = first.get(place)
      if (before === undefined) first.set(place, later)
      if (before === undefined || before.expiry === later.expiry) continue
      const id = JSON.stringify([before, later])
      const known = found.get(id) ?? { first: before, later, keys: [] }
      known.keys.push(key)
      found.set(id, known)
    }
  return [...found.values()].map(({ first: one, later, keys }) => ({
    ...{ policy: later.policy, about: `policy ${later.policy}` },
    reason: `policy ${one.policy} copies ${someOf(keys)} to the same place, with "copy.expiry" ${shown(one.expiry)} and not ${shown(later.expiry)}: what ${one.policy} says counts. Say the same in both, or give one of them a "copy.project"`,
  }))
}

const shown = (expiry: string | null): string => (expiry === null ? 'none' : JSON.stringify(expiry))

function someOf(keys: readonly string[]): string {
  const more = keys.length - NAMED
  return `${keys.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
