/** What each covered instance has, observed now: snapshots, and copies with what of them is verified. */

import type { SnapshotPair } from '../../shared/incus/inventory.ts'
import { parseSnapshotName } from '../../shared/incus/snapshot-name.ts'
import { subjectKey } from '../../shared/incus/subject.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { serverOf, type World } from '../../shared/plan/world.ts'
import type { TracedCoverage } from '../../shared/policy/coverage.ts'
import { removedOn, type Undoable } from '../../shared/policy/marks.ts'
import { describeOrigin } from '../../shared/policy/provenance.ts'
import { copyIn } from '../../shared/work/copy/entry.ts'
import { originOf, refuseReplica, verifiedOn } from '../../shared/work/copy/marks.ts'
import { type Replica, replicasOf, seeTarget } from '../../shared/work/copy/replica.ts'
import { namesOf, otherCopies } from './copies.ts'

type Covered = TracedCoverage['covered'][number]

export function instancesOf(
  coverages: readonly TracedCoverage[],
  world: World,
  ledger: Ledger | null,
  now: Date,
) {
  const byKey = new Map<string, Covered[]>()
  for (const { covered } of coverages)
    for (const one of covered) byKey.set(one.key, [...(byKey.get(one.key) ?? []), one])
  const problems = coverages.flatMap(({ roles, problems, warnings, unreadable }) => [
    ...roles.map(({ about, reason }) => ({ about, reason })),
    ...problems,
    ...warnings,
    ...unreadable.map(({ key, reason }) => ({ about: key, reason })),
  ])
  const distinct = new Map(problems.map((problem) => [`${problem.about} ${problem.reason}`, problem]))
  const instances = [...byKey]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, all]) => describe(key, all, { world, ledger, now }))
  const shown = new Set(
    instances.flatMap(({ copies }) => copies.flatMap((one) => ('problem' in one ? [] : [one.target]))),
  )
  return {
    at: now.toISOString(),
    instances,
    otherCopies: otherCopies(world, ledger, shown),
    problems: [...distinct.values()],
  }
}

function describe(
  key: string,
  all: readonly Covered[],
  { world, ledger, now }: { world: World; ledger: Ledger | null; now: Date },
) {
  const record = all[0]?.record
  return {
    instance: key,
    status: record?.status ?? '',
    policies: all.map(settings),
    snapshots: record?.snapshots?.map((pair) => snapshot(pair, removedOn(record, now))) ?? null,
    copies: replicasOf(all).map((replica) => copyOn(replica, world, ledger)),
    ...(record?.problem === undefined ? {} : { problem: record.problem }),
  }
}

function copyOn({ key, source, target: at }: Replica, world: World, ledger: Ledger | null) {
  const seen = seeTarget(world, at)
  const target = subjectKey(at)
  const noted = ledger === null ? undefined : copyIn(ledger, key)
  const state = noted?.state ?? (seen.state === 'there' ? 'idle' : seen.state)
  if (seen.state !== 'there') return { target, state, verified: [], unverified: [] }
  const origin = originOf(source, { server: serverOf(world, source.ref.remote) })
  const problem = refuseReplica(seen.record, origin)
  if (problem !== null) return { target, state, verified: [], unverified: [], problem }
  const verified = namesOf(verifiedOn(seen.record))
  const unverified = namesOf(seen.record.snapshots ?? []).filter((name) => !verified.includes(name))
  return { target, state, verified, unverified }
}

function snapshot([name, createdAt]: SnapshotPair, removed: ReadonlyMap<string, Undoable>) {
  const gone = removed.get(name)
  return {
    name,
    createdAt: new Date(createdAt * 1000).toISOString(),
    ...(gone === undefined ? {} : { removedAt: new Date(gone.end).toISOString() }),
    policy: parseSnapshotName(name)?.policy ?? null,
  }
}

/** The policy as it holds for the instance, and where each value comes from. */
function settings({ policy, from, blocked }: Covered) {
  const { name, keep, expiry, manual, stateful, copy } = policy
  const origins = Object.entries(from).map(([path, origin]) => [path, describeOrigin(origin)])
  return {
    name,
    keep,
    expiry,
    manual,
    stateful,
    copiedTo: copy?.remote ?? null,
    from: Object.fromEntries(origins),
    ...(blocked === null ? {} : { nothingExpires: blocked }),
  }
}
