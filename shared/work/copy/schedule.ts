/** All replicas of a run: what their last transfers came to, which start now, what the source must keep for them. */
import type { SnapshotPair } from '../../incus/inventory.ts'
import { isAddressable } from '../../incus/snapshot-name.ts'
import { workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import { combine, type Finding, type Found, gather } from '../../plan/finding.ts'
import type { Note } from '../../plan/plan.ts'
import type { Scene } from '../../plan/question.ts'
import { serverOf } from '../../plan/world.ts'
import type { Coverage, Covered } from '../../policy/cover.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { isPending, standingOf } from '../life.ts'
import type { CopyAction } from './action.ts'
import { type Looked, lookAt } from './common.ts'
import { COPY, type CopyWork, copyIn } from './entry.ts'
import { broken, type Judgement, judge } from './judge.ts'
import { renderVerified } from './marks.ts'
import { placed } from './place.ts'
import { putOffExpiry } from './put-off.ts'
import { type Replica, replicasOf, restingOf, strayCopies } from './replica.ts'
import { startCopy } from './start.ts'
import { removeTorn } from './torn.ts'
import { verification } from './verification.ts'

export type CopyScene = Pick<Scene, 'world' | 'ledger' | 'now' | 'sorter' | 'installation'> & {
  /** Instances of which no copy starts now, by key, each with the reason. */
  busy: ReadonlyMap<string, string>
  /** Somebody wants these now (replica keys), so they aren't put off until their next try. */
  wanted?: ReadonlySet<string>
}

export function planDueCopies(scene: Scene, { incomplete, busy, taking }: Found): Finding {
  const { coverages, now } = scene
  const covered = coverages.flatMap((coverage) => coverage.covered)
  const world = { ...scene.world, incomplete }
  const isTaking = taking.size > 0 && coverages.some(({ policy }) => policy.copy !== null)
  return combine([
    planCopies(covered, { ...scene, world, busy }),
    {
      wake: [
        ...(isTaking ? [minutesFrom(now, 1)] : []),
        ...coverages.flatMap((one) => wakeForUnseen(one, now)),
      ],
    },
  ])
}

/** A source that can't be read may have copies under way, or due: they are not left to the next slot. */
function wakeForUnseen({ policy, covered, unreadable }: Coverage, now: Date): string[] {
  const unseen = unreadable.length > 0 || covered.some(({ record }) => record.snapshots === null)
  return unseen && policy.copy !== null && !policy.paused ? [minutesFrom(now, 1)] : []
}

type Judged = Looked & { judgement: Judgement }

export function planCopies(covered: readonly Covered[], scene: CopyScene): Found {
  const all = replicasOf(covered)
  const judged = all
    .filter(({ source }) => source.record.snapshots !== null)
    .map((replica) => judgeOne(replica, scene))
  const resting = restingOf(covered)
    .filter(({ source }) => source.record.snapshots !== null)
    .map((replica) => lookAt(replica, scene))
  const bySource = groupBy(judged, ({ replica }) => replica.source.key)
  const found = gather([
    { blocked: new Map(strayCopies(all, scene.world).map(({ source, reason }) => [source, reason])) },
    ...all.filter(({ source }) => source.record.snapshots === null).map((one) => waitForSource(one, scene)),
    ...resting.map(keepCommon),
    ...judged.map((one) => settle(one, othersOf(one, bySource), scene)),
    ...beginAll(judged, scene),
  ])
  const byKey = groupBy(covered, ({ key }) => key)
  const putOffs = [...judged, ...resting].map(({ replica, common, ours }) =>
    putOff(replica, ours ?? common, byKey.get(replica.source.key) ?? [], found, scene),
  )
  return gather([found, ...putOffs])
}

function judgeOne(replica: Replica, scene: CopyScene): Judged {
  const { world, now, installation, ledger } = scene
  const looked = lookAt(replica, scene)
  const known = copyIn(ledger, replica.key)
  return { ...looked, judgement: judge({ replica, seen: looked.seen, world, known, now, installation }) }
}

/** Snapshots of the source that the refreshes of its other copies build on. */
const othersOf = ({ replica }: Judged, bySource: ReadonlyMap<string, Judged[]>): string[] =>
  (bySource.get(replica.source.key) ?? []).flatMap(({ replica: other, common }) =>
    other === replica || common === null ? [] : [common[0]],
  )

function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const group = groups.get(keyOf(one))
    if (group === undefined) groups.set(keyOf(one), [one])
    else group.push(one)
  }
  return groups
}

const isWanted = ({ replica }: Judged, { wanted }: CopyScene): boolean => wanted?.has(replica.key) === true

const entryOf = (replica: Replica, entry: CopyWork): Finding => ({
  work: { [workKey(COPY, replica.key)]: entry },
})

const noteOf = ({ key }: Replica, kind: Note['kind'], reason: string): Finding => ({
  notes: [{ kind, about: key, reason }],
})

/** What its last transfer came to. */
function settle(judged: Judged, others: readonly string[], scene: CopyScene): Finding {
  const { replica, seen, judgement } = judged
  const { source, key } = replica
  if (judgement.phase === 'idle') return keepCommon(judged)
  if (judgement.phase === 'broken' && isWanted(judged, scene)) return {}
  if (judgement.phase === 'landed') {
    const { entry } = judgement
    const action = verification(replica, seen, judgement, scene, others)
    return combine([
      { actions: [action], wake: [minutesFrom(scene.now, 1)] },
      entryOf(replica, { ...entry, verified: renderVerified(action.marks) }),
      // The marks may fail to be written, and then what they say now is what the next refresh builds on.
      keepCommon(judged),
      needs(source.key, entry.newest, `newest snapshot common with ${replica.target.remote}`),
    ])
  }
  const { phase, entry, reason } = judgement
  const isRunning = phase === 'running'
  const about = { key: workKey(COPY, key), about: key, known: copyIn(scene.ledger, key) }
  const said = isRunning ? reason : `copy ${entry.state}: ${reason}`
  return combine([
    standingOf(about, { phase, entry, reason: said }, scene.now),
    { blocked: new Map([[source.key, isRunning ? 'a copy of it is running' : reason]]) },
  ])
}

const needs = (source: string, snapshot: string | undefined, reason: string): Finding =>
  snapshot === undefined ? {} : { needed: new Map([[source, new Map([[snapshot, reason]])]]) }

/** The newest common snapshot is what the next refresh builds on. */
function keepCommon({ replica, seen, common, ours }: Looked): Finding {
  const { source, target } = replica
  const reason = `newest snapshot common with ${target.remote}`
  const own = needs(source.key, ours?.[0], `newest snapshot of stapes common with ${target.remote}`)
  if (seen.state !== 'unknown') return combine([own, needs(source.key, common?.[0], reason)])
  if (common !== null) return combine([own, needs(source.key, common[0], `${reason}, as last seen`)])
  const blocked = `the newest snapshot common with the copy is not known: ${seen.reason}`
  return combine([own, { blocked: new Map([[source.key, blocked]]) }])
}

/** Noted where something is noted of the copy at all. */
function putOff(
  replica: Replica,
  common: SnapshotPair | null,
  covering: readonly Covered[],
  { work }: Found,
  { ledger, busy, now }: CopyScene,
): Finding {
  const { key, source } = replica
  if (common === null || busy.has(source.key)) return {}
  const known = (own(work, workKey(COPY, key)) as CopyWork | undefined) ?? copyIn(ledger, key)
  const found = putOffExpiry(replica, common, known, covering, now)
  if (found === null) return {}
  const { action, putOff } = found
  return { actions: [action], ...(known === undefined ? {} : entryOf(replica, { ...known, putOff })) }
}

/** What begins in this run: of one source one copy at a time, in their order. */
function beginAll(judged: readonly Judged[], scene: CopyScene): Finding[] {
  const sending = new Set(
    judged.flatMap(({ replica, judgement }) => (judgement.phase === 'running' ? [replica.source.key] : [])),
  )
  const started: CopyAction[] = []
  return judged.flatMap((one) => {
    const { judgement, replica } = one
    const may = judgement.phase === 'idle' || (judgement.phase === 'broken' && isWanted(one, scene))
    if (!may) return []
    const { finding, action } = begin(one, judgement.entry, { sending, started }, scene)
    if (action !== null) {
      sending.add(replica.source.key)
      started.push(action)
    }
    return [finding]
  })
}

/** `sending`: sources of which a copy runs, or starts in this run; `started`: what starts in it. */
type Before = { sending: ReadonlySet<string>; started: readonly CopyAction[] }
type Begun = { finding: Finding; action: CopyAction | null }

function begin(
  { replica, seen, verified }: Judged,
  known: CopyWork | undefined,
  { sending, started }: Before,
  { world, now, sorter, installation, busy, wanted }: CopyScene,
): Begun {
  const { key, source } = replica
  const nothing = (...findings: Finding[]): Begun => ({ finding: combine(findings), action: null })
  const why = busy.get(source.key)
  if (why !== undefined) return nothing(noteOf(replica, 'wait', why))
  const entry = wanted?.has(key) && known !== undefined ? atOnce(known) : known
  const server = serverOf(world, source.ref.remote)
  const starting = { world, now, entry, verified, server, incomplete: world.incomplete, installation, sorter }
  const start = placed(startCopy(replica, seen, starting), world, started)
  switch (start.state) {
    case 'current':
      return nothing(
        seen.state === 'there'
          ? noteOf(replica, 'keep', 'the copy is verified up to the newest snapshot')
          : noteOf(replica, 'wait', 'there is nothing to copy yet'),
      )
    case 'refused': {
      const failed = broken('failed', start.reason, { known: entry, report: null, now })
      return nothing(
        entryOf(replica, failed.entry),
        noteOf(replica, 'problem', start.reason),
        { actions: removeTorn(replica, entry, { world, server, installation }) },
        { wake: [failed.entry.retryAt ?? minutesFrom(now, 1)] },
      )
    }
    case 'wait':
      return nothing(noteOf(replica, 'wait', start.reason), {
        wake: start.until === null ? [] : [start.until],
      })
    case 'start': {
      const soon = { wake: [minutesFrom(now, 1)] }
      if (sending.has(source.key))
        return nothing(
          noteOf(replica, 'wait', 'another copy of it is running, and only one runs at a time'),
          soon,
        )
      const finding = combine([
        {
          actions: [start.action],
          blocked: new Map([[source.key, 'a copy of it starts']]),
          starting: new Set([source.key]),
          notes: unaddressable(source),
        },
        soon,
      ])
      return { finding, action: start.action }
    }
  }
}

/**
 * What isn't known of a source is no reason to do anything, and not to be passed over in silence: neither here, nor by
 * a copy that seems to go on.
 */
function waitForSource(replica: Replica, { ledger }: Pick<CopyScene, 'ledger'>): Finding {
  const { record } = replica.source
  const reason = `nothing is copied while its source can't be listed: ${record.problem ?? 'no reason was given'}`
  const known = copyIn(ledger, replica.key)
  const noted = noteOf(replica, 'problem', reason)
  return known !== undefined && isPending(known)
    ? combine([noted, entryOf(replica, { ...known, reason })])
    : noted
}

/** They travel with the copy, and neither a hold nor a deletion can name them. */
const unaddressable = ({ key, record }: Covered): Note[] =>
  (record.snapshots ?? [])
    .filter(([name]) => !isAddressable(name))
    .map(([name]) => ({
      kind: 'foreign',
      about: key,
      snapshot: name,
      reason: "Incus's API can't address a name with such characters, so stapes never changes or removes it",
    }))

const atOnce = ({ retryAt: _, ...entry }: CopyWork): CopyWork => entry
