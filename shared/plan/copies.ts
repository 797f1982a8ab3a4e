/** All replicas of a run: what their last transfers came to, which start now, what the source must keep for them. */
import type { SnapshotPair } from '../incus/inventory.ts'
import { isAddressable } from '../incus/snapshot-name.ts'
import type { CopyLedger, Ledger } from '../ledger/ledger.ts'
import { own } from '../own.ts'
import type { Covered } from '../policy/cover.ts'
import { minutesFrom } from '../schedule/moment.ts'
import { type Looked, lookAt } from './common.ts'
import { startCopy } from './copy.ts'
import { placed } from './copy-place.ts'
import type { Sorter } from './expire.ts'
import { broken, isPending, type Judgement, judge } from './judge.ts'
import { renderVerified } from './marks.ts'
import type { Installation } from './owner.ts'
import type { Action, CopyPlan, Note } from './plan.ts'
import { putOffExpiry } from './put-off.ts'
import { type Replica, replicasOf, restingOf, strayCopies } from './replica.ts'
import { removeTorn } from './torn.ts'
import { verification } from './verification.ts'
import { serverOf, type World } from './world.ts'

export type Copies = {
  actions: Action[]
  notes: Note[]
  plans: CopyPlan[]
  /** When to look again, whatever is due by schedule (ISO 8601). */
  wake: string[]
  /** By instance key: all its snapshots are needed (or it failed in this run), with the reason. */
  blocked: Map<string, string>
  /** By instance key: snapshots needed, each with its reason. */
  needed: Map<string, Map<string, string>>
}

export type CopyContext = {
  world: World
  ledger: Ledger
  now: Date
  sorter: Sorter
  installation: Installation
  /** Instances of which no copy starts now, by key, each with the reason. */
  withheld: ReadonlyMap<string, string>
  /** Somebody wants these now (replica keys), so they aren't put off until their next try. */
  asked?: ReadonlySet<string>
}

export function planCopies(covered: readonly Covered[], context: CopyContext): Copies {
  const copies: Copies = {
    actions: [],
    notes: [],
    plans: [],
    wake: [],
    blocked: new Map(),
    needed: new Map(),
  }
  const all = replicasOf(covered)
  for (const { source, reason } of strayCopies(all, context.world)) copies.blocked.set(source, reason)
  const replicas = all.filter(({ source }) => source.record.snapshots !== null)
  for (const { key, source } of all)
    if (source.record.snapshots === null) waitForSource(key, source, copies, context)
  const judged = replicas.map((replica) => {
    const { world, now, installation, ledger } = context
    const looked = lookAt(replica, context)
    const known = ledger.copies[replica.key]
    return { ...looked, judgement: judge({ replica, seen: looked.seen, world, known, now, installation }) }
  })
  const resting = restingOf(covered)
    .filter(({ source }) => source.record.snapshots !== null)
    .map((replica) => lookAt(replica, context))
  for (const one of resting) keepCommon(one, copies)
  const busy = new Set<string>()
  const bySource = groupBy(judged, ({ replica }) => replica.source.key)
  for (const one of judged) {
    const { replica, judgement } = one
    if (judgement.phase === 'running') busy.add(replica.source.key)
    const others = (bySource.get(replica.source.key) ?? []).flatMap(({ replica: other, common }) =>
      other === replica || common === null ? [] : [common[0]],
    )
    settle(one, others, copies, context)
  }
  for (const one of judged) {
    const { judgement, replica } = one
    if (judgement.phase === 'idle' || (judgement.phase === 'broken' && context.asked?.has(replica.key)))
      begin(one, judgement, busy, copies, context)
  }
  const byKey = groupBy(covered, ({ key }) => key)
  for (const { replica, common, ours } of [...judged, ...resting])
    putOff(replica, ours ?? common, byKey.get(replica.source.key) ?? [], copies, context)
  return copies
}

type Judged = Looked & { judgement: Judgement }

function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const group = groups.get(keyOf(one))
    if (group === undefined) groups.set(keyOf(one), [one])
    else group.push(one)
  }
  return groups
}

function settle(judged: Judged, others: readonly string[], copies: Copies, context: CopyContext): void {
  const { replica, seen, judgement } = judged
  const { key, source } = replica
  if (judgement.phase === 'idle') {
    keepCommon(judged, copies)
    return
  }
  if (judgement.phase === 'broken' && context.asked?.has(key)) return
  if (judgement.phase === 'landed') {
    const action = verification(replica, seen, judgement, context, others)
    copies.actions.push(action)
    copies.plans.push({ key, ledger: { ...judgement.ledger, verified: renderVerified(action.marks) } })
    // The marks may fail to be written, and then what they say now is what the next refresh builds on.
    keepCommon(judged, copies)
    needs(copies, source.key, judgement.ledger.newest, `newest snapshot common with ${replica.target.remote}`)
    copies.wake.push(minutesFrom(context.now, 1))
    return
  }
  if (judgement.ledger !== own(context.ledger.copies, key))
    copies.plans.push({ key, ledger: judgement.ledger })
  copies.blocked.set(source.key, judgement.phase === 'running' ? 'a copy of it is running' : judgement.reason)
  copies.notes.push({
    kind: judgement.phase === 'running' ? 'wait' : 'problem',
    about: key,
    reason:
      judgement.phase === 'running'
        ? judgement.reason
        : `copy ${judgement.ledger.state}: ${judgement.reason}`,
  })
  copies.wake.push(judgement.ledger.retryAt ?? minutesFrom(context.now, 1))
}

function needs(copies: Copies, source: string, snapshot: string | undefined, reason: string): void {
  if (snapshot === undefined) return
  const needed = copies.needed.get(source) ?? new Map<string, string>()
  copies.needed.set(source, needed.set(snapshot, reason))
}

/** The newest common snapshot is what the next refresh builds on. */
function keepCommon({ replica, seen, common, ours }: Looked, copies: Copies): void {
  const { source, target } = replica
  const reason = `newest snapshot common with ${target.remote}`
  if (ours !== null)
    needs(copies, source.key, ours[0], `newest snapshot of stapes common with ${target.remote}`)
  if (seen.state !== 'unknown') needs(copies, source.key, common?.[0], reason)
  else if (common === null)
    copies.blocked.set(source.key, `the newest snapshot common with it is not known: ${seen.reason}`)
  else needs(copies, source.key, common[0], `${reason}, by the last look`)
}

/** Noted where something is noted of the copy at all. */
function putOff(
  replica: Replica,
  common: SnapshotPair | null,
  covering: readonly Covered[],
  copies: Copies,
  context: CopyContext,
): void {
  const { key, source } = replica
  if (common === null || context.withheld.has(source.key)) return
  const planned = copies.plans.find((plan) => plan.key === key)
  const known = planned?.ledger ?? context.ledger.copies[key]
  const found = putOffExpiry(replica, common, known, covering, context.now)
  if (found === null) return
  copies.actions.push(found.action)
  if (planned !== undefined) planned.ledger = { ...planned.ledger, putOff: found.putOff }
  else if (known !== undefined) copies.plans.push({ key, ledger: { ...known, putOff: found.putOff } })
}

function begin(
  { replica, seen, verified }: Judged,
  { ledger: known }: Extract<Judgement, { phase: 'idle' | 'broken' }>,
  busy: Set<string>,
  copies: Copies,
  { world, now, sorter, installation, withheld, asked }: CopyContext,
): void {
  const { key, source } = replica
  const ledger = asked?.has(key) && known !== undefined ? atOnce(known) : known
  const server = serverOf(world, source.ref.remote)
  const why = withheld.get(source.key)
  if (why !== undefined) {
    copies.notes.push({ kind: 'wait', about: key, reason: why })
    return
  }
  const { incomplete } = world
  const starting = { world, now, ledger, verified, server, incomplete, installation, sorter }
  const start = placed(startCopy(replica, seen, starting), world, copies.actions)
  if (start.state === 'current') {
    const isThere = seen.state === 'there'
    const reason = isThere ? 'the copy is verified up to the newest snapshot' : 'there is nothing to copy yet'
    copies.notes.push({ kind: isThere ? 'keep' : 'wait', about: key, reason })
    return
  }
  if (start.state === 'refused') {
    const failed = broken('failed', start.reason, { known: ledger, report: null, now })
    copies.plans.push({ key, ledger: failed.ledger })
    copies.notes.push({ kind: 'problem', about: key, reason: start.reason })
    copies.actions.push(...removeTorn(replica, ledger, { world, server, installation }))
    copies.wake.push(failed.ledger.retryAt ?? minutesFrom(now, 1))
    return
  }
  if (start.state === 'wait') {
    copies.notes.push({ kind: 'wait', about: key, reason: start.reason })
    if (start.until !== null) copies.wake.push(start.until)
    return
  }
  if (busy.has(source.key)) {
    copies.notes.push({ kind: 'wait', about: key, reason: 'another copy of it runs: one at a time' })
    copies.wake.push(minutesFrom(now, 1))
    return
  }
  busy.add(source.key)
  copies.blocked.set(source.key, 'a copy of it starts')
  copies.actions.push(start.action)
  copies.notes.push(...unaddressable(source))
  copies.wake.push(minutesFrom(now, 1))
}

/**
 * What isn't known of a source is no reason to do anything, and not to be passed over in silence: neither here, nor by
 * a copy that seems to go on.
 */
function waitForSource(
  key: string,
  { record }: Covered,
  copies: Copies,
  { ledger }: Pick<CopyContext, 'ledger'>,
): void {
  const reason = `nothing is copied while its source can't be listed: ${record.problem ?? 'no reason was given'}`
  copies.notes.push({ kind: 'problem', about: key, reason })
  const known = own(ledger.copies, key)
  if (known !== undefined && isPending(known)) copies.plans.push({ key, ledger: { ...known, reason } })
}

/** They travel with the copy, and neither a hold nor a deletion can name them. */
const unaddressable = ({ key, record }: Covered): Note[] =>
  (record.snapshots ?? [])
    .filter(([name]) => !isAddressable(name))
    .map(([name]) => ({
      kind: 'foreign',
      about: key,
      snapshot: name,
      reason: "Incus's API can't be asked for a name with such characters, so nothing is ever done to it",
    }))

const atOnce = ({ retryAt: _, ...ledger }: CopyLedger): CopyLedger => ledger
