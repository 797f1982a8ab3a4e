/**
 * What stays and what goes, with the reason on each: restic's policy semantics over the snapshots of
 * one instance and policy. What is held or lies in the future takes no place. A keep without rules
 * removes nothing, and every rule keeps the newest, so the newest never goes.
 */
import { openZone, type Zone } from '../schedule/zone.ts'
import type { Candidate, Keep, Retention } from './keep.ts'
import * as reasons from './reasons.ts'
import { type Judge, judge, rulesOf } from './rules.ts'

type Scene = {
  /** IANA, as `isTimezone` accepts it. */
  timezone: string
  now: Date
  /** In any order; of equal slots the earlier listed counts as the newer, as in restic. */
  candidates: readonly Candidate[]
}

/** `apart`: why it takes no place, null if it does. */
type Entry = { name: string; instant: number; apart: string | null }

/** Why each entry stays, in the entries' order; nothing where it goes. */
type Verdicts = (readonly string[])[]

/** Both lists are newest first. Throws on a within duration that `parseWithin` refuses. */
export function applyKeep(keep: Keep, { timezone, now, candidates }: Scene): Retention {
  const entries = newestFirst(candidates, now.getTime())
  const verdicts = recall(keep, timezone, entries)
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
    return { name, instant, apart: held ? reasons.held : instant > now ? reasons.future : null }
  })
  return entries.sort((a, b) => b.instant - a.instant)
}

const lately = new WeakMap<Keep, { timezone: string; entries: Entry[]; verdicts: Verdicts }>()

/** Most instances of a policy hold the same slots, so the last question is often asked again. */
function recall(keep: Keep, timezone: string, entries: Entry[]): Verdicts {
  const last = lately.get(keep)
  if (last !== undefined && last.timezone === timezone && alike(last.entries, entries)) return last.verdicts
  const verdicts = decide(keep, openZone(timezone), entries)
  lately.set(keep, { timezone, entries, verdicts })
  return verdicts
}

const alike = (some: Entry[], others: Entry[]): boolean =>
  some.length === others.length &&
  some.every(({ instant, apart }, at) => instant === others[at]?.instant && apart === others[at]?.apart)

function decide(keep: Keep, zone: Zone, entries: Entry[]): Verdicts {
  const places = entries.filter((entry) => entry.apart === null)
  const newest = places[0]?.instant ?? 0
  const judges = rulesOf(keep).map((rule) => judge(rule, newest, zone))
  let at = 0
  return entries.map(({ instant, apart }) => {
    if (apart !== null) return [apart]
    if (judges.length === 0) return [reasons.noRules]
    at += 1
    return verdict(judges, { instant, offset: zone.offsetAt(instant), at }, at === places.length)
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
