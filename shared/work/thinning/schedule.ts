/** Plans which exports go: what no rule of their policy's `keep` wants, where a look into the store has shown all of them. */
import { own } from '../../own.ts'
import { thinningKey } from '../../plan/brake.ts'
import { HELD_BACK, namesIn } from '../../plan/brake-expiry.ts'
import type { PlanContext } from '../../plan/context.ts'
import { combine, type Finding, type Found } from '../../plan/finding.ts'
import { renderInstallation } from '../../plan/installation.ts'
import type { Note, Sorted } from '../../plan/plan.ts'
import { type AllowRequest, narrow } from '../../plan/request.ts'
import { rulesOf } from '../../plan/world.ts'
import { exportsOf, type Wanted } from '../export/due.ts'
import type { ExportSurvey } from '../export/manifest.ts'
import type { Answer, Requested } from '../kind.ts'
import type { ExpireExportAction } from './action.ts'
import { brakeExports } from './brake.ts'
import { AGAIN, brakeKey, isKept, keptExports, nextSurvey, placeIn, seldomAgain } from './due.ts'
import { type SortedExports, sortedFor } from './sort.ts'

type Context = PlanContext & { allowing?: true }

export function planThinning(context: PlanContext, found: Found): Finding {
  const wanting = { ...context, facts: context.facts ?? null }
  const all = exportsOf(wanting)
  if (all.length === 0) return ofSilent(context)
  const next = nextSurvey(wanting, all)
  return combine([
    { wake: next === null ? [] : [next] },
    ...all.map((one) => (isKept(one) ? thinOf(one, context, found) : strayOf(one, context))),
    ofSilent(context),
  ])
}

/** Of instances whose servers give no answer. */
function ofSilent({ coverages, ledger }: Context): Finding {
  const silent = coverages.flatMap(({ policy, unreadable }) =>
    unreadable.map(({ key }) => thinningKey(policy.name, `${key.slice('remote:'.length)}/`)),
  )
  const of = (noted: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(noted).filter(([key]) => silent.some((one) => key.startsWith(one))))
  return silent.length === 0 ? {} : { braked: of(ledger.sight?.braked), allowed: of(ledger.sight?.allowed) }
}

/** Of one whose policy keeps all: what is no export is told, and nothing goes. */
function strayOf(one: Wanted, { world, now }: Context): Finding {
  const survey = world.surveys?.get(placeIn(one))
  if (survey === undefined) return {}
  if (survey === null) return { wake: [new Date(now.getTime() + AGAIN).toISOString()] }
  const { strays } = survey
  const sorted = { ...{ at: now.toISOString(), going: '', tries: 0 }, strays: strayText(strays) }
  return combine([
    { notes: strayNotes(strays, one) },
    sortedAs(one, { ...sorted, next: seldomAgain(strays, now) }),
  ])
}

const strayNotes = (strays: readonly string[], { covered, export: { to } }: Wanted): Note[] =>
  strays.map((stray): Note => ({ kind: 'problem', about: covered.key, reason: `${to}: ${stray}` }))

function thinOf(one: Wanted, context: Context, found: Found): Finding {
  const survey = context.world.surveys?.get(placeIn(one))
  if (survey === undefined) return asBefore(one, context)
  if (survey === null)
    return combine([
      asBefore(one, context),
      { notes: [unreadNote(one)], wake: [new Date(context.now.getTime() + AGAIN).toISOString()] },
    ])
  return thinBy(survey, one, context, found)
}

const unreadNote = ({ export: { to }, covered: { key } }: Wanted): Note => ({
  kind: 'wait',
  about: key,
  reason: `what ${to} has of it could not be read, so none of its exports goes`,
})

/** What is held back, or allowed, is so until the next look. */
function asBefore(one: Wanted, { ledger }: Context): Finding {
  const key = brakeKey(one)
  const [braked, allowed] = [own(ledger.sight?.braked ?? {}, key), own(ledger.sight?.allowed ?? {}, key)]
  return {
    ...(braked === undefined ? {} : { braked: { [key]: braked } }),
    ...(allowed === undefined ? {} : { allowed: { [key]: allowed } }),
  }
}

const sortedAs = (one: Wanted, sorted: Sorted): Finding => ({
  sorted: { [`${one.policy} ${placeIn(one)}`]: sorted },
  wake: sorted.next === null ? [] : [sorted.next],
})

function thinBy(survey: ExportSurvey, one: Wanted, context: Context, found: Found): Finding {
  const { now, explain = false, ledger } = context
  const { covered, export: wish, fact } = one
  const sorted = sortedFor(one, survey, context)
  const noted = (name: string, reason: string): Note => ({
    ...{ kind: 'keep', about: covered.key, snapshot: `${wish.to}:${name}`, reason },
  })
  const shown = explain
    ? [...sorted.kept, ...sorted.later].map(({ name, reason }) => noted(name, reason))
    : []
  const before = (going: string): Finding =>
    sortedAs(one, noteOf(sorted, { going, strays: survey.strays, fact, now }))
  const base: Finding = { notes: [...strayNotes(survey.strays, one), ...shown] }
  const stop = stopOf(one, context, found)
  const held = stop === null ? brakeExports(one, sorted, context) : null
  if (stop !== null || (held !== null && context.allowing !== true)) {
    const why = stop === null ? HELD_BACK : `but nothing goes now: ${stop}`
    const key = brakeKey(one)
    return combine([
      base,
      { notes: sorted.going.map(({ name, reason }) => noted(name, `${reason}, ${why}`)) },
      stop === null ? {} : asBefore(one, context),
      held === null
        ? {}
        : { notes: [{ kind: 'problem', about: covered.key, reason: held }], braked: { [key]: held } },
      before(fact.exportGoing ?? ''),
    ])
  }
  // Only what is held back is asked for.
  if (held === null && context.allowing === true) return {}
  const names = sorted.going.map(({ name }) => name)
  const allowed = own(ledger.sight?.allowed ?? {}, brakeKey(one)) ?? ''
  const left = allowed.split(' ').filter((name) => names.includes(name))
  const waiting = waitingOf(fact, now)
  const tried = sorted.going.filter(({ name }) => !waiting.has(name)).slice(0, MOST)
  const untried = sorted.going.filter((going) => !tried.includes(going))
  const until = `, and could not go yet: it is tried again on ${fact.exportNext ?? later(now, 0)}`
  return combine([
    base,
    { actions: tried.map((going) => actionOf(one, going, context)) },
    { notes: untried.map(({ name, reason }) => noted(name, `${reason}${until}`)) },
    left.length === 0 ? {} : { allowed: { [brakeKey(one)]: left.join(' ') } },
    before(names.join(' ')),
  ])
}

/** So many are tried at once. */
const MOST = 100

/** Names of those that could not go, until they are tried again. */
const waitingOf = ({ exportGoing, exportNext = '' }: Wanted['fact'], now: Date): ReadonlySet<string> =>
  exportNext > now.toISOString() ? namesIn(exportGoing) : NONE

const NONE: ReadonlySet<string> = new Set()

/** Why nothing of it goes now; null: it may. */
function stopOf({ covered }: Wanted, { world }: Context, found: Found): string | null {
  const { key, ref, blocked, record } = covered
  if (rulesOf(world, ref.remote) === undefined || record.snapshots === null)
    return 'its server gives no answer'
  return blocked ?? found.busy.get(key) ?? null
}

const HOUR = 3_600_000
/** Hours between two tries, at most. */
const LONGEST = 24

const later = (now: Date, tries: number): string =>
  new Date(now.getTime() + Math.min(2 ** tries, LONGEST) * HOUR).toISOString()

/** So many are noted, each cut to so many characters: there may be any number. */
const [NAMED, LONGEST_STRAY] = [3, 300]

function strayText(strays: readonly string[]): string {
  const few = strays.slice(0, NAMED).map((one) => one.slice(0, LONGEST_STRAY))
  const more = strays.length - few.length
  return [...few, ...(more > 0 ? [`${more} more`] : [])].join('; ')
}

/** A store that says no date is asked at growing intervals; where it says one, at that date. */
function noteOf(
  { going, later: locked }: SortedExports,
  { going: names, strays, fact, now }: { going: string; strays: string[]; fact: Wanted['fact']; now: Date },
): Sorted {
  const [first] = locked.map(({ until }) => until).sort()
  const { exportTries = 0, exportNext = '' } = fact
  // Those that wait are tried then, whatever comes meanwhile.
  const waiting = waitingOf(fact, now)
  const isWaiting = going.some(({ name }) => waiting.has(name))
  const tries = going.length === 0 ? 0 : exportTries + (isWaiting ? 0 : 1)
  const again = going.length === 0 ? [] : [isWaiting ? exportNext : later(now, tries - 1)]
  // Whether somebody has mended it.
  if (strays.length > 0) again.push(later(now, 0))
  const [next = null] = [...again, ...(first === undefined ? [] : [first])].sort()
  return { at: now.toISOString(), going: names, strays: strayText(strays), next, tries }
}

const actionOf = (
  { covered: { ref }, policy, export: { to } }: Wanted,
  { name, snapshot, reason }: SortedExports['going'][number],
  { installation }: Context,
): ExpireExportAction => ({
  ...{ kind: 'expire-export', ref, store: to, name, snapshot, policy },
  ...{ owner: renderInstallation(installation), reason },
})

/** What the brake holds back, and nothing else. */
export function allowThinning(requested: Requested<AllowRequest>): Answer {
  const { request, coverages, ledger, found } = requested
  const facts = requested.facts ?? null
  const kept = keptExports({ coverages: narrow(coverages, request), facts, now: requested.now })
  const findings = kept.flatMap((one) => {
    const survey = requested.world.surveys?.get(placeIn(one))
    if (survey === undefined) return []
    return survey === null
      ? [{ notes: [unreadNote(one)] }]
      : [thinBy(survey, one, { ...requested, allowing: true }, found)]
  })
  const { actions = [], notes = [], sorted = {}, wake = [] } = combine(findings)
  const allowed = new Map<string, string[]>()
  for (const action of actions as ExpireExportAction[]) {
    const one = kept.find(({ policy, covered }) => policy === action.policy && covered.ref === action.ref)
    if (one !== undefined) allowed.set(brakeKey(one), [...(allowed.get(brakeKey(one)) ?? []), action.name])
  }
  return {
    ...{ actions, notes, sorted, wake },
    braked: Object.fromEntries(
      Object.entries(ledger.sight?.braked ?? {}).filter(([key]) => !allowed.has(key)),
    ),
    allowed: Object.fromEntries([...allowed].map(([key, names]) => [key, names.join(' ')])),
  }
}
