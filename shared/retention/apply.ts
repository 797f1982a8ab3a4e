/**
 * Which snapshots are kept and which expire, with the reason for each: restic's policy semantics over the
 * snapshots of one instance and policy. Held and future ones are kept and not counted. A keep without rules
 * expires nothing, and every rule keeps the newest, so the newest never expires.
 */
import { openZone, type Zone } from '../schedule/zone.ts'
import type { Candidate, Keep, Retention } from './keep.ts'
import * as reasons from './reasons.ts'
import { type Judge, judge, rulesOf } from './rules.ts'

type KeepInput = {
  /** IANA, as `isTimezone` accepts it. */
  timezone: string
  now: Date
  /** In any order; of equal slots the earlier listed counts as the newer, as in restic. */
  candidates: readonly Candidate[]
}

/** `uncounted`: why no rule counts it; null: the rules count it. */
type Entry = { name: string; instant: number; uncounted: string | null }

/** Why each entry is kept, in the entries' order; no reason: it expires. */
type Verdicts = (readonly string[])[]

/** Both lists are newest first. Throws on a within duration that `parseWithin` refuses. */
export function applyKeep(keep: Keep, { timezone, now, candidates }: KeepInput): Retention {
  const entries = newestFirst(candidates, now.getTime())
  const verdicts = verdictsOf(keep, timezone, entries)
  const retention: Retention = { keep: [], expire: [] }
  entries.forEach(({ name }, at) => {
    const why = verdicts[at] ?? []
    if (why.length > 0) retention.keep.push({ name, reasons: why })
    else retention.expire.push({ name, reason: reasons.unwanted })
  })
  return retention
}

function newestFirst(candidates: readonly Candidate[], now: number): Entry[] {
  const entries = candidates.map(({ name, slot, held }) => {
    const instant = slot.getTime()
    return { name, instant, uncounted: held ? reasons.held : instant > now ? reasons.future : null }
  })
  return entries.sort((a, b) => b.instant - a.instant)
}

const latest = new WeakMap<Keep, { timezone: string; entries: Entry[]; verdicts: Verdicts }>()

/** Cached, as most instances of a policy have the same slots. */
function verdictsOf(keep: Keep, timezone: string, entries: Entry[]): Verdicts {
  const last = latest.get(keep)
  if (last !== undefined && last.timezone === timezone && alike(last.entries, entries)) return last.verdicts
  const verdicts = decide(keep, openZone(timezone), entries)
  latest.set(keep, { timezone, entries, verdicts })
  return verdicts
}

const alike = (some: Entry[], others: Entry[]): boolean =>
  some.length === others.length &&
  some.every(
    ({ instant, uncounted }, at) => instant === others[at]?.instant && uncounted === others[at]?.uncounted,
  )

function decide(keep: Keep, zone: Zone, entries: Entry[]): Verdicts {
  const counted = entries.filter((entry) => entry.uncounted === null)
  const newest = counted[0]?.instant ?? 0
  const judges = rulesOf(keep).map((rule) => judge(rule, newest, zone))
  let at = 0
  return entries.map(({ instant, uncounted }) => {
    if (uncounted !== null) return [uncounted]
    if (judges.length === 0) return [reasons.noRules]
    at += 1
    return verdict(judges, { instant, offset: zone.offsetAt(instant), at }, at === counted.length)
  })
}

function verdict(judges: Judge[], moment: Parameters<Judge>[0], isOldest: boolean): string[] {
  const why: string[] = []
  for (const ask of judges) {
    const reason = ask(moment, isOldest)
    if (reason !== null) why.push(reason)
  }
  return why
}
