/** Plans which snapshots expire on the sources in a run, and which are kept. */

import { expiresAt } from '../../incus/expiry.ts'
import type { SnapshotPair } from '../../incus/inventory.ts'
import { leastOf } from '../../incus/pace.ts'
import { isManual, MANUAL, parseSnapshotName, snapshotName } from '../../incus/snapshot-name.ts'
import { subjectKey } from '../../incus/subject.ts'
import type { PolicyLedger } from '../../ledger/ledger.ts'
import { own } from '../../own.ts'
import { expiryKey, wasBraked } from '../../plan/brake.ts'
import { brakeExpiry, brakeFinding, type Clocks, HELD_BACK, namesIn } from '../../plan/brake-expiry.ts'
import type { PlanContext } from '../../plan/context.ts'
import { combine, type Finding, type Found } from '../../plan/finding.ts'
import { lastLooks } from '../../plan/last-look.ts'
import type { AnyAction, Note } from '../../plan/plan.ts'
import type { Coverage, Covered } from '../../policy/cover.ts'
import { removedOn } from '../../policy/marks.ts'
import { FEW } from '../../retention/brake.ts'
import { expiredOf, keptOf, type Reasoned } from '../../retention/sorter.ts'
import { type ExpireAction, isExpire } from './action.ts'
import { type Expiry, goingAlone, neededOn, sortOn } from './alone.ts'
import { stopOf, withoutStarting } from './guards.ts'
import { untilText } from './lines.ts'
import { mayClear, PARTIAL } from './partials.ts'
import { takeBack } from './take-back.ts'
import { type Staying, stayingIn } from './whole.ts'

export function planRetention(context: PlanContext, found: Found): Finding {
  const { coverages, sorter, explain = false, ledger } = context
  const byPolicy = new Map(coverages.map((coverage) => [coverage.policy.name, coverage]))
  const guards = withoutStarting(found)
  const seen = new Set<string>()
  const partials = found.partials.filter((partial) => {
    // One on request may be noted by each policy that covers its instance.
    const name = `${subjectKey(partial.ref)}/${partial.snapshot}`
    if (seen.has(name)) return false
    seen.add(name)
    const coverage = byPolicy.get(partial.policy)
    return coverage !== undefined && mayClear(partial, coverage, guards, found.taking)
  })
  const { braked, stalled = {} } = ledger.sight ?? {}
  const expiring = found.slots.flatMap(({ policy, ledger: { open } }) => {
    const coverage = byPolicy.get(policy)
    // What was held back is looked at again, so that it is told as long as it is so.
    const due = open !== null || wasBraked(braked, policy)
    return coverage === undefined
      ? []
      : [planExpire(coverage, { open }, { guards: found, sorter, clocks: context }, { due, explain })]
  })
  const looked = new Set(expiring.flatMap((one) => one.looked))
  const still = Object.entries(stalled).filter(([key]) => !looked.has(key) && isCovered(key, byPolicy))
  const planned = combine(expiring.map(({ finding }) => finding))
  const removals = partials.map((partial): ExpireAction => ({ kind: 'expire', ...partial, reason: PARTIAL }))
  return combine([
    {
      actions: removals,
      stalled: Object.fromEntries(still),
      allowed: stillAllowed(coverages, ledger.sight?.allowed),
    },
    planned,
    { wake: looksBefore(planned.actions ?? [], context.now) },
    takeBack(context, found),
    explain ? { notes: onRequest(coverages, found) } : {},
  ])
}

/** The last looks before what goes later. */
export const looksBefore = (actions: readonly AnyAction[], now: Date): string[] =>
  lastLooks(
    actions.filter(isExpire).flatMap(({ end }) => (end === undefined ? [] : [Date.parse(end)])),
    now,
  )

/** Of the names that somebody allowed to go, those that are still listed. */
function stillAllowed(
  coverages: readonly Coverage[],
  allowed: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  if (allowed === undefined) return {}
  const left = coverages.flatMap(({ policy, covered }) =>
    covered.flatMap(({ key, record }) => {
      const at = expiryKey(policy.name, key)
      const text = own(allowed, at)
      const names = namesIn(text)
      const listed = (record.snapshots ?? []).flatMap(([name]) => (names.has(name) ? [name] : []))
      if (text === undefined || (record.snapshots !== null && listed.length === 0)) return []
      return [[at, record.snapshots === null ? text : listed.join(' ')] as const]
    }),
  )
  return Object.fromEntries(left)
}

const isCovered = (key: string, policies: ReadonlyMap<string, Coverage>): boolean =>
  [...policies.values()].some(({ policy, covered }) =>
    covered.some((one) => key === expiryKey(policy.name, one.key)),
  )

/** For a dry run: snapshots on request, which no policy counts. */
function onRequest(coverages: readonly Coverage[], { incomplete }: Found): Note[] {
  if (coverages.some(({ policy }) => policy.name === MANUAL)) return []
  const instances = new Map(coverages.flatMap(({ covered }) => covered.map((one) => [one.key, one] as const)))
  return [...instances.values()].flatMap(({ key, record, held }) =>
    (record.snapshots ?? [])
      .filter(([name]) => isManual(name) && !incomplete.has(`${key}/${name}`))
      .map(([name]): Note => {
        const reason = held.has(name)
          ? 'taken on request, and held'
          : 'taken on request: it ends by its own expiry'
        return { kind: 'keep', about: key, snapshot: name, reason }
      }),
  )
}

/** `looked`: keys of the expiries that were judged. */
type Planned = { finding: Finding; looked: string[] }

/** For one policy, while its slot is open or on request (`due`). */
export function planExpire(
  coverage: Coverage,
  { open }: Pick<PolicyLedger, 'open'>,
  expiry: Expiry,
  { due, explain }: { due: boolean; explain: boolean },
): Planned {
  if (!due && !explain) return { finding: {}, looked: [] }
  const { policy, covered } = coverage
  const serving = open === null ? null : snapshotName({ policy: policy.name, slot: new Date(open.slot) })
  const staying = stayingIn(coverage, (one) => goingAlone(one, policy.name, serving, expiry))
  const context = { ...expiry, staying }
  const findings = covered.map((one) => expireOn(one, policy.name, serving, context, { due, explain }))
  const looked = due ? covered.map(({ key }) => expiryKey(policy.name, key)) : []
  return { finding: combine(findings), looked }
}

/** `serving`: the name of the open slot's snapshot, which isn't counted. */
function expireOn(
  one: Covered,
  policy: string,
  serving: string | null,
  context: Expiry & { staying: Staying },
  { due, explain }: { due: boolean; explain: boolean },
): Finding {
  const { key, record } = one
  if (record.snapshots === null) return {}
  const removed = removedOn(record, context.clocks.now)
  const { complete, retention } = sortOn(one, record.snapshots, removed, serving, context)
  const needed = neededOn(key, context)
  const going = due ? expiredOf(retention, needed) : []
  const kept = explain ? keptOf(retention, needed) : []
  const notes = [...kept, ...(explain ? removedFrom(one, removed) : [])].map(
    ({ snapshot, reason }): Note => ({ kind: 'keep', about: key, snapshot, reason }),
  )
  if (going.length === 0) return { notes }
  const names = new Set([...retention.keep, ...retention.expire].map(({ name }) => name))
  const snapshots = complete.filter(([name]) => names.has(name))
  return combine([{ notes }, removalOf(one, policy, { going, snapshots }, context)])
}

/** Of the policy's own. */
const removedFrom = (
  { key, record, policy }: Covered,
  removed: ReadonlyMap<string, { end: number }>,
): Reasoned[] =>
  (record.snapshots ?? []).flatMap(([snapshot]) => {
    const gone = parseSnapshotName(snapshot)?.policy === policy.name ? removed.get(snapshot) : undefined
    return gone === undefined
      ? []
      : [{ snapshot, reason: untilText(key, snapshot, new Date(gone.end).toISOString()) }]
  })

type Going = { going: readonly Reasoned[]; snapshots: readonly SnapshotPair[] }

/** Removes them, unless something else needs the instance, or the brake holds them back. */
function removalOf(one: Covered, policy: string, { going, snapshots }: Going, context: Expiry): Finding {
  const { key, ref } = one
  const { guards, clocks, allowed } = context
  const at = expiryKey(policy, key)
  const since = own(clocks.ledger.sight?.stalled, at)
  const stop = stopOf(one, guards)
  // What waits for something else is not held back by the brake.
  if (stop !== null && allowed === true) return {}
  if (stop !== null)
    return {
      stalled: { [at]: since ?? clocks.now.toISOString() },
      notes: going.map(({ snapshot, reason }) => {
        const why = `${reason}, but nothing expires now: ${stop}`
        return { kind: 'keep', about: key, snapshot, reason: why }
      }),
    }
  const expiring = {
    ref,
    policy: one.policy,
    snapshots,
    going: going.map(({ snapshot }) => snapshot),
    since: since === undefined ? null : Date.parse(since),
  }
  const held = brakeExpiry(expiring, clocks)
  if (held !== null && allowed !== true)
    return combine([
      brakeFinding(expiring, held),
      { stalled: since === undefined ? {} : { [at]: since }, notes: going.map(keptNote(key)) },
    ])
  if (held === null && allowed === true) return {}
  // The relay may refuse some of them until tomorrow.
  const later = since === undefined || going.length < FEW ? {} : { stalled: { [at]: since } }
  const { grace = 0 } = one.policy
  if (grace > 0) {
    const end = new Date(clocks.now.getTime() + grace * 1000)
    const { waits, finding } = removalLater(one, going, end, clocks)
    // What waits is no attack later, when all of it goes.
    return {
      ...later,
      ...finding,
      ...(waits ? { stalled: { [at]: since ?? clocks.now.toISOString() } } : {}),
    }
  }
  return {
    ...later,
    actions: going.map(
      ({ snapshot, reason }): ExpireAction => ({ kind: 'expire', ref, policy, snapshot, reason }),
    ),
  }
}

/** The oldest first. `waits`: not all of it goes now. */
function removalLater(
  one: Covered,
  going: readonly Reasoned[],
  end: Date,
  { now }: Pick<Clocks, 'now'>,
): { waits: boolean; finding: Finding } {
  const { key, ref, record, policy } = one
  const all = record.snapshots?.length ?? 0
  // The relay lets no more be removed at once, and what is going is still listed.
  const room = Math.max(0, all - removedOn(record, now).size - leastOf(all))
  const soon = going.filter(({ snapshot }) => endsBefore(one, snapshot, end))
  const others = going.filter((item) => !soon.includes(item)).toReversed()
  const kept =
    (why: string) =>
    ({ snapshot, reason }: Reasoned): Note => ({
      ...{ kind: 'keep', about: key, snapshot },
      reason: `${reason}; ${why}`,
    })
  const notes = [
    ...soon.map(kept('Incus removes it by its own expiry before it would go')),
    ...others.slice(room).map(kept('it waits, because as many are going as stay')),
  ]
  const actions = others.slice(0, room).map(
    ({ snapshot, reason }): ExpireAction => ({
      ...{ kind: 'expire', ref, policy: policy.name, snapshot, end: end.toISOString(), reason },
    }),
  )
  return { waits: others.length > room, finding: { notes, actions } }
}

/** By the policy's own `expiry`. */
function endsBefore({ record, policy: { expiry } }: Covered, snapshot: string, end: Date): boolean {
  const created = record.snapshots?.find(([name]) => name === snapshot)?.[1]
  return expiry !== null && created !== undefined && expiresAt(expiry, new Date(created * 1000)) <= end
}

const keptNote =
  (about: string) =>
  ({ snapshot, reason }: Reasoned): Note => ({
    kind: 'keep',
    about,
    snapshot,
    reason: `${reason}, ${HELD_BACK}`,
  })
