/** What retention lets go on the source: counted on what was observed, behind the rails. */
import type { SnapshotPair } from '../incus/inventory.ts'
import { parseSnapshotName } from '../incus/snapshot-name.ts'
import type { Policy } from '../policy/policy.ts'
import { applyKeep } from '../retention/apply.ts'
import type { Keep, Retention } from '../retention/keep.ts'

export type Sieve = {
  /**
   * Sorts one policy's snapshots of one instance. Those of `besides` (the slot being served) take no
   * part, so that the result is the same before and after that snapshot was taken.
   */
  sort(
    policy: Policy,
    keep: Keep,
    snapshots: readonly SnapshotPair[],
    held: ReadonlySet<string>,
    besides: string | null,
  ): Retention
}

const NOTHING: Retention = { keep: [], expire: [] }

/** Instances of a policy mostly have the same slots, so equal questions are answered once per run. */
export function createSieve(now: Date): Sieve {
  const known = new Map<string, Retention>()
  const names = new Map<string, ReturnType<typeof parseSnapshotName>>()
  const parse = (name: string) => {
    let parsed = names.get(name)
    if (parsed === undefined) {
      parsed = parseSnapshotName(name)
      names.set(name, parsed)
    }
    return parsed
  }
  return {
    sort(policy, keep, snapshots, held, besides) {
      const prefix = `${policy.name}-`
      const mine = snapshots.flatMap(([name]) => (name.startsWith(prefix) && name !== besides ? [name] : []))
      if (mine.length === 0) return NOTHING
      const question = `${policy.timezone} ${JSON.stringify(keep)} ${[...held].join(' ')} ${mine.join(' ')}`
      const answer = known.get(question)
      if (answer !== undefined) return answer
      const candidates = mine.flatMap((name) => {
        const parsed = parse(name)
        return parsed?.policy === policy.name ? [{ name, slot: parsed.slot, held: held.has(name) }] : []
      })
      const retention = applyKeep(keep, { timezone: policy.timezone, now, candidates })
      known.set(question, retention)
      return retention
    },
  }
}

export type Expiring = {
  expire: { snapshot: string; reason: string }[]
  kept: { snapshot: string; reason: string }[]
}

/** Retention's answer for one instance, with what the copies still need put back. */
export function letGo(retention: Retention, needed: ReadonlyMap<string, string>): Expiring {
  const kept = retention.keep.map(({ name, reasons }) => ({ snapshot: name, reason: reasons.join(', ') }))
  const expire = []
  for (const { name, reason } of retention.expire) {
    const need = needed.get(name)
    if (need === undefined) expire.push({ snapshot: name, reason })
    else kept.push({ snapshot: name, reason: need })
  }
  return { expire, kept }
}
