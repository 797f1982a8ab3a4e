/** Decides which copies start in a run. */
import type { SnapshotPair } from '../../incus/inventory.ts'
import { isAddressable } from '../../incus/snapshot-name.ts'
import { refreshKey } from '../../plan/brake.ts'
import { combine, type Finding } from '../../plan/finding.ts'
import type { Note } from '../../plan/plan.ts'
import { serverOf } from '../../plan/world.ts'
import type { Covered } from '../../policy/cover.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import type { CopyAction, PermitAction } from './action.ts'
import { transferContext } from './context.ts'
import { currentEntry } from './current.ts'
import type { CopyWork } from './entry.ts'
import { broken } from './judge.ts'
import { type CopyContext, entryOf, isAllowed, isWanted, type Judged, noteOf } from './judged.ts'
import { lostFrom, refuseMirroring } from './mirroring.ts'
import { withPlace } from './place.ts'
import type { Replica } from './replica.ts'
import { type Start, startCopy } from './start.ts'
import { removeTorn } from './torn.ts'

/** Starts copies: one at a time for each source, in their order. */
export function beginAll(judged: readonly Judged[], context: CopyContext): Finding[] {
  // While one is verified, the source loses what has expired during the transfer: the next one would postpone it again.
  const sending = new Set(
    judged.flatMap(({ replica, judgement }) =>
      judgement.phase === 'running' || judgement.phase === 'completed' ? [replica.source.key] : [],
    ),
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

/** `sending`: sources of which a copy runs or is verified, or starts in this run; `started`: what starts in it. */
type Before = { sending: ReadonlySet<string>; started: readonly CopyAction[] }
type Begun = { finding: Finding; action: CopyAction | null }

function begin(one: Judged, known: CopyWork | undefined, before: Before, context: CopyContext): Begun {
  const { replica, seen, verified } = one
  const { world, now, sorter, installation, busy, wanted, coveringOf } = context
  const { key, source } = replica
  const why = busy.get(source.key)
  if (why !== undefined) return nothing(noteOf(replica, 'wait', why))
  const entry = wanted?.has(key) && known !== undefined ? atOnce(known) : known
  const server = serverOf(world, source.ref.remote)
  const transfer = transferContext(replica, seen, {
    ...{ world, now, entry, verified, server, incomplete: world.incomplete, installation, sorter },
    allowed: isAllowed(replica, context),
  })
  const covering = coveringOf(source.key)
  const mirroring = { world, sorter, now, covering, allowed: isAllowed(replica, context) }
  const refused = refuseMirroring(transfer, mirroring)
  const start = withPlace(startCopy(transfer, seen, refused), world, before.started)
  const begun = beginAs(start, { one, entry, server, sending: before.sending }, context)
  const held = refused?.braked === true ? [brakeOf(replica, refused.reason)] : []
  const later =
    mirroring.allowed && (start.state === 'held' || start.state === 'closed')
      ? permit(replica, lostFrom(transfer, mirroring), start.state === 'held' ? start.refused : start)
      : {}
  return { ...begun, finding: combine([begun.finding, later, ...held]) }
}

type Starting = {
  one: Judged
  entry: CopyWork | undefined
  server: string
  sending: ReadonlySet<string>
}

const nothing = (...findings: Finding[]): Begun => ({ finding: combine(findings), action: null })

function beginAs(start: Start, { one, entry, server, sending }: Starting, context: CopyContext): Begun {
  const { replica, seen } = one
  const { world, now, installation } = context
  const { source } = replica
  switch (start.state) {
    case 'current': {
      const right = currentEntry(one, entry, context)
      return nothing(
        seen.state === 'there'
          ? noteOf(replica, 'keep', 'the copy is verified up to the newest snapshot')
          : noteOf(replica, 'wait', 'there is nothing to copy yet'),
        right === null ? {} : entryOf(replica, right),
      )
    }
    case 'unseen':
      return nothing(
        noteOf(
          replica,
          'problem',
          `${start.reason}; it was verified up to the newest snapshot when seen last`,
        ),
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
    case 'closed': {
      // What its remote's rules were says nothing of what they will be.
      const { least: _, ...closed } = heldEntry(entry, start.reason, now)
      return nothing(entryOf(replica, closed), noteOf(replica, 'problem', start.reason), {
        wake: [minutesFrom(now, 1)],
      })
    }
    case 'held': {
      const { braked, reason, until } = start.refused
      return nothing(
        entryOf(replica, heldEntry(entry, reason, now)),
        // What the brake holds is told by it.
        ...(braked ? [] : [noteOf(replica, 'problem', reason)]),
        { wake: until === undefined ? [] : [until] },
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

/** No try, so no retry: it goes on as soon as nothing holds it. */
function heldEntry(entry: CopyWork | undefined, reason: string, now: Date): CopyWork {
  if (entry?.state === 'failed' && entry.reason === reason && entry.retryAt === undefined) return entry
  const { retryAt: _, job: __, operation: ___, ...known } = entry ?? { attempts: 0 }
  return { ...known, state: 'failed', reason, at: now.toISOString() }
}

/** Somebody allowed what can't begin yet: that is remembered, as what is known to have expired. */
const permit = (
  { key, source, target }: Replica,
  lost: readonly SnapshotPair[],
  { reason, until }: { reason: string; until?: string },
): Finding =>
  lost.length === 0
    ? {}
    : {
        actions: [
          {
            kind: 'permit',
            ...{ source: source.ref, target, key, snapshots: [...lost], until: until ?? null },
            reason: `it is remembered that a refresh may remove them; now ${reason}`,
          } satisfies PermitAction,
        ],
      }

/** Told first, and while it holds, nothing of the source is removed either. */
const brakeOf = ({ key, source }: Replica, reason: string): Finding => ({
  notes: [{ kind: 'problem', about: source.key, reason }],
  braked: { [refreshKey(key)]: `${source.key}: ${reason}` },
  blocked: new Map([[source.key, 'its copy waits: verified snapshots of it are gone from the source']]),
})

const ONE_AT_A_TIME = 'another copy of it is running or being verified, and only one runs at a time'

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

const atOnce = ({ retryAt: _, cancelled: __, ...entry }: CopyWork): CopyWork => entry
