/**
 * Whether the relay removes an export, whoever asks. By schedule only one that the policy of the same installation had made, of an
 * instance that is there, and never the newest whole one; by its name one whose removal stands beside it, and could be taken back
 * until now. None before its time, none that is held, and never more than half within a day.
 */
import { leastOld } from '../../shared/incus/pace.ts'
import { AHEAD_SECONDS } from '../../shared/incus/snapshot-name.ts'
import { isOwnedBy, parseInstallation } from '../../shared/plan/installation.ts'
import type { Manifest } from '../../shared/work/export/manifest.ts'
import { UNSAID } from '../../shared/work/export/notes.ts'
import type { Surveyed } from './exports.ts'

const DAY = 86_400_000

/** Under which the journal knows an export that isn't what was stored. */
export const badKey = (store: string, subject: string, name: string): string => `${store} ${subject} ${name}`

/** And the most of a policy's exports that are older than a day. */
export const oldKey = (store: string, subject: string, policy: string): string =>
  `exports ${store} ${subject} ${policy}`

export type ExportRemoval = AskedRemoval & { policy: string; owner: string }

/** Of one that somebody names. */
export type AskedRemoval = {
  name: string
  /** All that the store has of the instance. */
  exports: readonly Surveyed[]
  /** Of the store, in seconds. */
  minRetention: number
  isBad(name: string): boolean
  /** The most of the policy's old exports that were seen within the last day. */
  most: number
  now: number
}

/** Older than a day, of that policy. */
export const oldOf = ({ exports, policy, now }: Omit<ExportRemoval, 'most' | 'isBad'>): Surveyed[] =>
  exports.filter((one) => one.manifest.policy === policy && ageOf(one, now) >= DAY)

/** Of any policy, and on request. */
export const allOld = ({ exports, now }: Pick<AskedRemoval, 'exports' | 'now'>): Surveyed[] =>
  exports.filter((one) => ageOf(one, now) >= DAY)

/** Null: it may go. */
export function againstExportRemoval(removal: ExportRemoval): string | null {
  const { name, exports } = removal
  const wanted = exports.find((one) => one.manifest.name === name)
  if (wanted === undefined) return GONE
  const why =
    againstStranger(wanted.manifest, removal) ?? againstHeld(wanted) ?? againstFreed(wanted, removal.now)
  if (why !== null) return why
  if (isNewest(wanted, removal)) return NEWEST
  return againstAge(wanted, removal) ?? againstPace(wanted, oldOf(removal), removal, 'exports of its policy')
}

/**
 * Null: its removal may be noted, or done where `isDue`. `last`: it was asked for, and confirmed, that the newest whole one goes;
 * `mayLast`: the configuration allows that.
 */
export function againstAskedRemoval(
  asked: AskedRemoval & { last: boolean; mayLast: boolean; isDue: boolean },
): string | null {
  const { name, exports, now, isDue } = asked
  const wanted = exports.find((one) => one.manifest.name === name)
  if (wanted === undefined) return GONE
  const held = againstHeld(wanted) ?? (isDue ? againstFreed(wanted, now) : null)
  if (held !== null) return held
  const { removal = null } = wanted.said ?? {}
  if (isDue && removal === null) return 'nobody has it removed, or that was taken back'
  if (isDue && removal !== null && removal.end > now)
    return `until ${isoOf(removal.end)} its removal can be taken back`
  const last = isDue ? removal?.last === true : asked.last
  if (isNewest(wanted, { ...asked, policy: undefined })) {
    if (!last) return `${NEWEST}: it goes only if that is asked for by "last"`
    if (!asked.mayLast)
      return `${NEWEST}, and the relay removes none such from this store: "removeLast" in its configuration allows it`
  }
  if (!isDue) return null
  return againstAge(wanted, asked) ?? againstPace(wanted, allOld(asked), asked, 'exports of it')
}

const GONE = 'there is no whole export of that name'
const NEWEST = 'it is the newest export of it that is whole'

function againstHeld({ held, said = UNSAID }: Surveyed): string | null {
  if (held) return 'it is held in its store: whoever did that releases it there'
  return said.held === null ? null : `it is held: ${said.held}; release it first`
}

/** Whoever has stolen a key doesn't remove at once what they have released. */
const againstFreed = ({ said: { freed } = UNSAID }: Surveyed, now: number): string | null =>
  freed !== null && freed > now ? `it was held until lately, and stays until ${isoOf(freed)}` : null

function againstAge(wanted: Surveyed, { minRetention, now }: AskedRemoval): string | null {
  const age = ageOf(wanted, now)
  if (age < minRetention * 1000)
    return `its store keeps it until ${isoOf(now + minRetention * 1000 - age)} (minRetention in the relay's configuration)`
  return wanted.until !== null && wanted.until > now
    ? `its store keeps it until ${isoOf(wanted.until)}`
    : null
}

function againstPace(
  wanted: Surveyed,
  old: readonly Surveyed[],
  { most }: AskedRemoval,
  what: string,
): string | null {
  const peak = Math.max(most, old.length)
  const left = old.filter((one) => one !== wanted).length
  return left >= leastOld(peak)
    ? null
    : `there were ${peak} ${what} older than a day within the last day, and the relay leaves at least ${leastOld(peak)} of them for that long; the rest goes tomorrow`
}

const isoOf = (at: number): string => new Date(at).toISOString()

function againstStranger({ policy, owner }: Manifest, removal: ExportRemoval): string | null {
  if (policy === undefined) return 'no policy had it made: whoever asked for it removes it'
  if (policy !== removal.policy) return `policy ${policy} had it made`
  const ours = parseInstallation(removal.owner)
  return ours !== null && isOwnedBy(owner, ours) ? null : 'another installation of stapes had it made'
}

/** By the relay's clock and the store's, whichever says less. What isn't known is no age. */
function ageOf({ manifest: { madeAt }, age }: Surveyed, now: number): number {
  const own = now - Date.parse(madeAt)
  return Number.isNaN(own) ? 0 : Math.min(own, age ?? own)
}

/** By any date that it has, among all and among its policy's, also where another one is dated in the future. */
function isNewest(
  wanted: Surveyed,
  { exports, policy, isBad, now }: AskedRemoval & { policy: string | undefined },
): boolean {
  // What is going anyway is no reason for another one to go.
  const whole = exports.filter(
    (one) => !isBad(one.manifest.name) && (one === wanted || (one.said?.removal ?? null) === null),
  )
  const dated = whole.filter(({ manifest }) =>
    datesOf(manifest).every((at) => at <= now + AHEAD_SECONDS * 1000),
  )
  return [whole, dated].some((all) =>
    [all, ...(policy === undefined ? [] : [all.filter(({ manifest }) => manifest.policy === policy)])].some(
      (some) => isLast(wanted, some),
    ),
  )
}

function isLast(wanted: Surveyed, among: readonly Surveyed[]): boolean {
  const mine = datesOf(wanted.manifest)
  if (!among.includes(wanted)) return among.length === 0
  return mine.some((at, place) => among.every((one) => (datesOf(one.manifest)[place] ?? 0) <= at))
}

/** When it was asked for, when it was made, and when its snapshot was; what can't be read counts as the latest. */
const datesOf = ({ name, madeAt, snapshot }: Manifest): number[] =>
  [dateIn(name), madeAt, snapshot.createdAt].map((text) => {
    const at = Date.parse(text)
    return Number.isNaN(at) ? Number.POSITIVE_INFINITY : at
  })

/** `20261122T030000Z` in a form that is parsed everywhere. */
const dateIn = (name: string): string =>
  name.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')
