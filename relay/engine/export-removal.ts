/**
 * Whether the relay removes an export, whoever asks: only one that the policy of the same installation had made, of an instance
 * that is there; never the newest whole one, none before its time, none that is held, and never more than half within a day.
 */
import { leastOld } from '../../shared/incus/pace.ts'
import { AHEAD_SECONDS } from '../../shared/incus/snapshot-name.ts'
import { isOwnedBy, parseInstallation } from '../../shared/plan/installation.ts'
import type { Manifest } from '../../shared/work/export/manifest.ts'
import type { Surveyed } from './exports.ts'

const DAY = 86_400_000

/** Under which the journal knows an export that isn't what was stored. */
export const badKey = (store: string, subject: string, name: string): string => `${store} ${subject} ${name}`

/** And the most of a policy's exports that are older than a day. */
export const oldKey = (store: string, subject: string, policy: string): string =>
  `exports ${store} ${subject} ${policy}`

export type ExportRemoval = {
  name: string
  policy: string
  owner: string
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

/** Null: it may go. */
export function againstExportRemoval(removal: ExportRemoval): string | null {
  const { name, exports, minRetention, most, now } = removal
  const wanted = exports.find((one) => one.manifest.name === name)
  if (wanted === undefined) return 'there is no whole export of that name'
  const strange = againstStranger(wanted.manifest, removal)
  if (strange !== null) return strange
  if (wanted.held) return 'it is held'
  if (isNewest(wanted, removal)) return 'it is the newest export of it that is whole'
  const age = ageOf(wanted, now)
  if (age < minRetention * 1000)
    return `its store keeps it until ${isoOf(now + minRetention * 1000 - age)} (minRetention in the relay's configuration)`
  if (wanted.until !== null && wanted.until > now) return `its store keeps it until ${isoOf(wanted.until)}`
  const old = oldOf(removal)
  const peak = Math.max(most, old.length)
  const left = old.filter((one) => one !== wanted).length
  return left >= leastOld(peak)
    ? null
    : `there were ${peak} exports of its policy older than a day within the last day, and the relay leaves at least ${leastOld(peak)} of them for that long; the rest goes tomorrow`
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
function isNewest(wanted: Surveyed, { exports, policy, isBad, now }: ExportRemoval): boolean {
  const whole = exports.filter(({ manifest: { name } }) => !isBad(name))
  const dated = whole.filter(({ manifest }) =>
    datesOf(manifest).every((at) => at <= now + AHEAD_SECONDS * 1000),
  )
  return [whole, dated].some((all) =>
    [all, all.filter(({ manifest }) => manifest.policy === policy)].some((some) => isLast(wanted, some)),
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
