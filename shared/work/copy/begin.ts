/** Decides which copies start in a run. */
import { isAddressable } from '../../incus/snapshot-name.ts'
import { combine, type Finding } from '../../plan/finding.ts'
import type { Note } from '../../plan/plan.ts'
import { serverOf } from '../../plan/world.ts'
import type { Covered } from '../../policy/cover.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import type { CopyAction } from './action.ts'
import type { CopyWork } from './entry.ts'
import { broken } from './judge.ts'
import { type CopyContext, entryOf, isWanted, type Judged, noteOf } from './judged.ts'
import { withPlace } from './place.ts'
import { startCopy } from './start.ts'
import { removeTorn } from './torn.ts'

/** Starts copies: one at a time for each source, in their order. */
export function beginAll(judged: readonly Judged[], context: CopyContext): Finding[] {
  const sending = new Set(
    judged.flatMap(({ replica, judgement }) => (judgement.phase === 'running' ? [replica.source.key] : [])),
  )
  const started: CopyAction[] = []
  return judged.flatMap((one) => {
    const { judgement, replica } = one
    const may = judgement.phase === 'idle' || (judgement.phase === 'broken' && isWanted(one, context))
    if (!may) return []
    const { finding, action } = begin(one, judgement.entry, { sending, started }, context)
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
  { world, now, sorter, installation, busy, wanted }: CopyContext,
): Begun {
  const { key, source } = replica
  const nothing = (...findings: Finding[]): Begun => ({ finding: combine(findings), action: null })
  const why = busy.get(source.key)
  if (why !== undefined) return nothing(noteOf(replica, 'wait', why))
  const entry = wanted?.has(key) && known !== undefined ? atOnce(known) : known
  const server = serverOf(world, source.ref.remote)
  const starting = { world, now, entry, verified, server, incomplete: world.incomplete, installation, sorter }
  const start = withPlace(startCopy(replica, seen, starting), world, started)
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
    case 'start':
      return sending.has(source.key)
        ? nothing(noteOf(replica, 'wait', ONE_AT_A_TIME), { wake: [minutesFrom(now, 1)] })
        : { finding: startOf(source, start.action, now), action: start.action }
  }
}

const ONE_AT_A_TIME = 'another copy of it is running, and only one runs at a time'

const startOf = (source: Covered, action: CopyAction, now: Date): Finding => ({
  actions: [action],
  blocked: new Map([[source.key, 'a copy of it starts']]),
  starting: new Set([source.key]),
  notes: unaddressable(source),
  wake: [minutesFrom(now, 1)],
})

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
