/**
 * Snapshots of tries with an unknown outcome, which may be partial. While their slot is open they are made
 * again; after it they are removed, as soon as their instance can be read.
 */
import { MANUAL, parseSnapshotName } from '../../incus/snapshot-name.ts'
import { instanceOf } from '../../incus/subject.ts'
import type { PolicyLedger } from '../../ledger/ledger.ts'
import type { PartialSnapshot } from '../../plan/finding.ts'
import { partialsIn } from '../../plan/partials.ts'
import type { World } from '../../plan/world.ts'
import type { Coverage } from '../../policy/cover.ts'

/** Adds those that only the relay knows: of the policy, and on request of what it covers. */
export function withKnownToRelay(
  { policy: { name: policy }, covered }: Pick<Coverage, 'policy' | 'covered'>,
  ledger: PolicyLedger,
  { unseen }: Pick<World, 'unseen'>,
): PolicyLedger {
  if (unseen.size === 0) return ledger
  const known = new Set(partialsIn(policy, ledger))
  const covers = new Set(covered.map(({ key }) => key))
  const lost = [...unseen].filter((entry) => {
    const at = entry.lastIndexOf('/')
    const named = parseSnapshotName(entry.slice(at + 1))?.policy
    const mine = named === policy || (named === MANUAL && covers.has(entry.slice(0, at)))
    return mine && !known.has(entry)
  })
  return lost.length === 0 ? ledger : { ...ledger, partial: [...(ledger.partial ?? []), ...lost] }
}

/** `partials`: those that are listed now and can be removed. `left`: those that stay noted, until they are gone. */
export function clearPartials(
  { policy, covered, unreadable }: Coverage,
  noted: readonly string[],
  world: Pick<World, 'find'>,
): { left: string[]; partials: PartialSnapshot[] } {
  const byKey = new Map(covered.map((one) => [one.key, one]))
  const seen = noted.map((entry): { entry: string; is: 'listed' | 'gone' | 'unknown' } & PartialSnapshot => {
    const at = entry.lastIndexOf('/')
    const [key, snapshot] = [entry.slice(0, at), entry.slice(at + 1)]
    const named = { entry, policy: policy.name, snapshot }
    const found = byKey.get(key)
    if (found === undefined) {
      const unread = unreadable.some((remote) => `remote:${key}`.startsWith(`${remote.key}/`))
      // The instance may be excluded only for a while, so the entry stays.
      return {
        ...named,
        ref: instanceOf(key),
        is: unread || lists(world, key, snapshot) ? 'unknown' : 'gone',
      }
    }
    const { ref, record } = found
    if (record.snapshots === null) return { ...named, ref, is: 'unknown' }
    return { ...named, ref, is: record.snapshots.some(([name]) => name === snapshot) ? 'listed' : 'gone' }
  })
  return {
    left: seen.flatMap(({ is, entry }) => (is === 'gone' ? [] : [entry])),
    partials: seen.flatMap(({ is, ref, snapshot }) =>
      is === 'listed' ? [{ ref, policy: policy.name, snapshot }] : [],
    ),
  }
}

function lists(world: Pick<World, 'find'>, key: string, snapshot: string): boolean {
  const record = world.find(instanceOf(key))
  return record !== undefined && record.snapshots?.some(([name]) => name === snapshot) !== false
}
