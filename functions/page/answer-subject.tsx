/** `GET /subject/<remote>/<project>/<name>`. */
import { stocksOf } from '../../shared/command/stock.ts'
import { workOf } from '../../shared/command/work.ts'
import { subjectKey } from '../../shared/incus/subject.ts'
import { subjectIn, targetIn } from '../../shared/ledger/work.ts'
import { own } from '../../shared/own.ts'
import { subjectViewOf } from '../../shared/page/subject.ts'
import { type Slot, slotsOf, timelineOf } from '../../shared/page/timeline.ts'
import type { Line } from '../../shared/plan/line.ts'
import type { World } from '../../shared/plan/world.ts'
import { REPLICA_OF } from '../../shared/policy/marks.ts'
import { effectiveConfig } from '../../shared/policy/pause.ts'
import type { Policy } from '../../shared/policy/policy.ts'
import { narrowTo, troublesOf } from '../../shared/promise/verdict.ts'
import type { JobReport } from '../../shared/relay/protocol.ts'
import { copyIn } from '../../shared/work/copy/entry.ts'
import { reportOn } from '../../shared/work/life.ts'
import { type Applied, verdictIn } from '../api/status.ts'
import type { Io } from '../run.ts'
import type { Known } from '../state/known.ts'
import { type SeenNow, seeSubject } from './see.ts'
import { type SeenView, SubjectPage, type WorkView } from './subject.tsx'

type Page = { found: boolean; page: ReturnType<typeof SubjectPage> }

export async function pageOf(key: string, found: Applied, known: Known, io: Io, now: Date): Promise<Page> {
  const all = verdictIn(found, known, now)
  const verdict = narrowTo(all, { subject: key })
  const seenNow = found.stored === null ? null : await seeSubject(key, io, now)
  const policies = policiesOf(key, found, known, seenNow, now)
  const records = (policy: string) => own(known.ledger?.policies, policy)?.slots ?? []
  const slots = slotsOf(policies, records, now, key)
  const seen = seenView(key, seenNow, slots, now)
  const work = workIn(key, known, seenNow?.look.world.jobs ?? [])
  const isKnown =
    seen.state === 'seen' || verdict.promises.length > 0 || policies.length > 0 || work.length > 0
  const troubles = troublesOf(verdict)
  const { tone, promises } = verdict
  return {
    found: isKnown,
    page: <SubjectPage {...{ subject: key, tone, promises, troubles, work, slots, seen, now }} />,
  }
}

/** As they hold for it, as far as it could be seen; else as the last look has noted. */
function policiesOf(
  key: string,
  { stored }: Applied,
  { facts }: Known,
  seen: SeenNow | null,
  now: Date,
): Policy[] {
  const covering = (seen?.look.coverages ?? []).flatMap(({ covered }) =>
    covered.filter((one) => one.key === key).map(({ policy }) => policy),
  )
  if (covering.length > 0 || stored === null) return covering
  const { policies } = effectiveConfig(stored, now)
  return policies.filter(({ name }) => own(own(facts?.subjects ?? {}, name) ?? {}, key) !== undefined)
}

function seenView(key: string, seen: SeenNow | null, slots: readonly Slot[], now: Date): SeenView {
  if (seen === null) return { state: 'unseen', reason: 'no configuration is applied', copies: [] }
  const { world, coverages, ledger } = seen.look
  const remote = key.split('/')[0] ?? ''
  const stock = stocksOf({ world, coverages, ledger, maySee: (one) => one === key }).find(
    (one) => one.key === key,
  )
  if (stock === undefined) {
    const reply = own(world.remotes, remote)
    const reason =
      reply === undefined
        ? `no policy names the remote ${remote}`
        : reply.ok
          ? `there is no such instance on ${remote}, or its certificate there may not see it`
          : reply.error.message
    return { state: reply?.ok === true ? 'absent' : 'unseen', reason, copies: copiesOf(key, world) }
  }
  const policies = coverages.flatMap(({ covered }) =>
    covered.filter((one) => one.key === key).map(({ policy }) => policy),
  )
  const targets = stock.copies.map(({ target }) => target)
  const about = new Set([key, ...targets, ...targets.map((target) => `${key}>${target}`)])
  const mine = (lines: readonly Line[]) => lines.filter((line) => about.has(line.about))
  const lines = mine(seen.lines)
  const next = seen.next === null ? null : { at: seen.next.at, lines: mine(seen.next.lines) }
  const putOff = targets.flatMap((target) =>
    ledger === null ? [] : (copyIn(ledger, `${key}>${target}`)?.putOff ?? []),
  )
  const view = subjectViewOf({ stock, world, policies, lines, next, putOff, now })
  return {
    state: 'seen',
    ...{ view, policies, timeline: timelineOf(view, slots, now) },
    replicaOf: stock.replica?.of ?? null,
    status: stock.record.type === 'volume' ? 'Custom volume' : stock.record.status,
    ...{ lines, next },
  }
}

/** By their marks. */
const copiesOf = (key: string, { remotes }: World): string[] =>
  Object.entries(remotes).flatMap(([remote, reply]) =>
    (reply.ok ? reply.inventory.instances : []).flatMap((record) =>
      record.own.includes(REPLICA_OF) && record.config[REPLICA_OF] === key
        ? [subjectKey({ remote, project: record.project, instance: record.name })]
        : [],
    ),
  )

/** Of it, or onto it. */
const workIn = (key: string, { ledger }: Known, jobs: readonly JobReport[]): WorkView[] =>
  workOf(ledger, () => true)
    .filter((work) => subjectIn(work.key) === key || targetIn(work.key) === key)
    .map((work) => ({
      ...work,
      progress: work.state === 'runs' ? (reportOn(work.key, work.entry, jobs)?.progress ?? null) : null,
    }))
