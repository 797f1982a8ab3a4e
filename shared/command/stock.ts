/** What snapshots an instance has, and which of them are verified on a copy; from what was just observed. */

import { ageOf } from '../chat/age.ts'
import type { InstanceRecord, SnapshotPair } from '../incus/inventory.ts'
import { newestPair, samePair } from '../incus/pairs.ts'
import { type InstanceRef, subjectKey } from '../incus/subject.ts'
import { partialsIn } from '../plan/partials.ts'
import { serverOf, type World } from '../plan/world.ts'
import { REPLICA_OF } from '../policy/marks.ts'
import { targetOf } from '../policy/places.ts'
import { originOf, refuseReplica, verifiedOn } from '../work/copy/marks.ts'
import { seeTarget } from '../work/copy/replica.ts'
import type { Seen } from './seen.ts'

/** `verified`: snapshots on both sides. Null: unknown, with the `reason`. Empty: none yet. */
export type CopyStock = { target: string; verified: SnapshotPair[] | null; reason: string | null }

export type Stock = {
  key: string
  record: InstanceRecord
  /** By name; empty: no policy covers it. */
  policies: string[]
  /** Without those that may be partial or are still being made. Null: not listed. */
  complete: SnapshotPair[] | null
  /** Names of the others. */
  partials: string[]
  newest: SnapshotPair | null
  copies: CopyStock[]
  /** The source it is a copy of, and what was verified on it. */
  replica: { of: string; verified: SnapshotPair[] } | null
}

export type Answered = Seen & { world: World }

/** All observed instances that the actor may see; a copy is also visible to those who may see its source. */
export function stocksOf({
  world,
  coverages,
  ledger,
  maySee,
}: Pick<Answered, 'world' | 'coverages' | 'ledger' | 'maySee'>): Stock[] {
  const partial = new Set(
    Object.entries(ledger?.policies ?? {}).flatMap(([policy, known]) => partialsIn(policy, known)),
  )
  const covering = new Map<string, Target[]>()
  for (const { policy, covered } of coverages)
    for (const { key, policy: own, ref } of covered)
      covering.set(key, [
        ...(covering.get(key) ?? []),
        { policy: policy.name, target: own.copy === null ? null : targetOf(ref, own.copy) },
      ])
  return Object.entries(world.remotes).flatMap(([remote, reply]) =>
    (reply.ok ? reply.inventory.instances : []).flatMap((record) => {
      const ref = { remote, project: record.project, instance: record.name }
      const of = record.own.includes(REPLICA_OF) ? record.config[REPLICA_OF] : undefined
      if (!maySee(subjectKey(ref)) && (of === undefined || !maySee(of))) return []
      return [stockOf(ref, record, covering.get(subjectKey(ref)) ?? [], partial, world)]
    }),
  )
}

type Target = { policy: string; target: InstanceRef | null }

function stockOf(
  ref: InstanceRef,
  record: InstanceRecord,
  covering: readonly Target[],
  partial: ReadonlySet<string>,
  world: World,
): Stock {
  const key = subjectKey(ref)
  const isPartial = ([name]: SnapshotPair) =>
    partial.has(`${key}/${name}`) || world.incomplete.has(`${key}/${name}`)
  const complete = record.snapshots?.filter((pair) => !isPartial(pair)) ?? null
  const targets = new Map(
    covering.flatMap(({ target }) => (target === null ? [] : [[subjectKey(target), target] as const])),
  )
  const of = record.own.includes(REPLICA_OF) ? record.config[REPLICA_OF] : undefined
  return {
    ...{ key, record, complete },
    policies: covering.map(({ policy }) => policy),
    partials: (record.snapshots ?? []).filter(isPartial).map(([name]) => name),
    newest: newestPair(complete ?? []),
    copies: [...targets].map(([target, at]) => copyOf({ ref, record }, target, at, world)),
    replica: of === undefined ? null : { of, verified: verifiedOn(record) },
  }
}

function copyOf(
  source: { ref: InstanceRef; record: InstanceRecord },
  target: string,
  at: InstanceRef,
  world: World,
): CopyStock {
  const seen = seeTarget(world, at)
  if (seen.state === 'absent') return { target, verified: [], reason: null }
  if (seen.state === 'unknown') return { target, verified: null, reason: seen.reason }
  const origin = originOf(source, { server: serverOf(world, source.ref.remote) })
  const refused = refuseReplica(seen.record, origin)
  return refused === null
    ? { target, verified: verifiedOn(seen.record), reason: null }
    : { target, verified: null, reason: refused }
}

export const isVerified = ({ verified }: Pick<CopyStock, 'verified'>, pair: SnapshotPair): boolean =>
  verified?.some((one) => samePair(one, pair)) === true

export const pairAge = ([, createdAt]: SnapshotPair, now: Date): string =>
  ageOf(new Date(createdAt * 1000).toISOString(), now)
