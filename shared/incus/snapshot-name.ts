/**
 * The names we own: `<policy>-<slot>`, the slot in UTC to the minute and sortable. The name is the
 * compare-and-set: Incus lets exactly one of several creates of a name win.
 */
import type { SnapshotPair } from './inventory.ts'

export type SnapshotName = { policy: string; slot: Date }

export const POLICY_NAME = /^[a-z][a-z0-9-]{0,39}$/

/** Replaces the policy in the name of the snapshot that is taken before a restore. No policy may have this name. */
export const SAFETY = 'before-restore'

/**
 * Replaces the policy in the name of a snapshot on request, which no rule of `keep` counts. No policy may have this
 * name; one that an earlier version accepted keeps it until it is renamed, and no snapshot is taken on request until
 * then.
 */
export const MANUAL = 'manual'

const OURS = /^([a-z][a-z0-9-]{0,39})-(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})Z$/

/** `daily`, 2026-11-22T03:00Z gives `daily-20261122T0300Z`. */
export function snapshotName({ policy, slot }: SnapshotName): string {
  const day = `${String(slot.getUTCFullYear()).padStart(4, '0')}${two(slot.getUTCMonth() + 1)}${two(slot.getUTCDate())}`
  return `${policy}-${day}T${two(slot.getUTCHours())}${two(slot.getUTCMinutes())}Z`
}

const two = (digits: number): string => (digits < 10 ? `0${digits}` : `${digits}`)

const parsed = new Map<string, SnapshotName | null>()

/** Names that are cached. */
const MOST = 5000

/**
 * Null when the name isn't ours by its form, or its date doesn't exist. Every name of an inventory comes through here in
 * every run, and those of a policy are the same on each instance, so they are cached.
 */
export function parseSnapshotName(name: string): SnapshotName | null {
  const known = parsed.get(name)
  if (known !== undefined) return known
  const found = read(name)
  if (parsed.size >= MOST) parsed.clear()
  parsed.set(name, found)
  return found
}

/** The date is made of numbers: to read one as text takes ten times as long. */
function read(name: string): SnapshotName | null {
  const found = OURS.exec(name)
  if (found === null) return null
  const policy = found[1] ?? ''
  const [year, month, day, hour, minute] = [
    Number(found[2]),
    Number(found[3]) - 1,
    Number(found[4]),
    Number(found[5]),
    Number(found[6]),
  ]
  const slot = new Date(0)
  slot.setUTCFullYear(year, month, day)
  slot.setUTCHours(hour, minute)
  const exists = slot.getUTCMonth() === month && slot.getUTCDate() === day && hour < 24 && minute < 60
  return exists ? { policy, slot } : null
}

export const isManual = (name: string): boolean =>
  name.startsWith(`${MANUAL}-`) && parseSnapshotName(name)?.policy === MANUAL

/** Clocks of Worker and server may differ; a snapshot is made after its slot, not this long before it. */
export const AHEAD_SECONDS = 3600

/** Whether a name of ours fits a snapshot that was made then (seconds since the epoch): its slot isn't later. */
export const isTimely = ({ slot }: SnapshotName, createdAt: number): boolean =>
  slot.getTime() <= (createdAt + AHEAD_SECONDS) * 1000

/** Tells which snapshots are dated in the future: the clock of their server was ahead when they were made. */
export function aheadOf(now: Date): (pair: SnapshotPair) => boolean {
  const limit = now.getTime() / 1000 + AHEAD_SECONDS
  return ([, createdAt]) => createdAt > limit
}

/**
 * A snapshot with a name of ours that may be ours. Anybody who may take snapshots can use a name with a future
 * slot, which must not count as the newest.
 */
export function ownSnapshot([name, createdAt]: SnapshotPair): SnapshotName | null {
  const parsed = parseSnapshotName(name)
  return parsed !== null && isTimely(parsed, createdAt) ? parsed : null
}

/**
 * Negative where the first is older: by date; of one second by the slots of names that are ours, which others
 * come before; then by name. Listings have no order of their own, and all have to mean the same newest one.
 */
export function compareAge(a: SnapshotPair, b: SnapshotPair): number {
  if (a[1] !== b[1]) return a[1] - b[1]
  const [slotA, slotB] = [a, b].map((pair) => ownSnapshot(pair)?.slot.getTime() ?? 0)
  return (slotA ?? 0) - (slotB ?? 0) || (a[0] < b[0] ? -1 : Number(a[0] > b[0]))
}

/**
 * Whether a request can address the snapshot. Incus accepts names that its routes can't address: 6.0.4
 * decodes a path twice, so "%" is lost, and slashes, backslashes and control characters never arrive.
 */
export const isAddressable = (name: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  name !== '' && name !== '.' && name !== '..' && !/[%/\\\u0000-\u001f\u007f]/.test(name)

/** What people may call a snapshot through stapes. Incus takes more, also what breaks its storage drivers. */
const PEOPLES = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** Why people can't call a snapshot so; null: they can. */
export function refuseName(name: string): string | null {
  if (!PEOPLES.test(name))
    return `"${name}" is no name that it takes: letters, digits, ".", "_" and "-", at most 63 of them, the first one a letter or a digit`
  return parseSnapshotName(name) === null
    ? null
    : `"${name}" has the form of the names that stapes itself gives, and would be counted and removed by their rules`
}

/** Why a snapshot can't get that name; null: it can. What stapes knows by its name keeps it. */
export function refuseRenaming(name: string, to: string): string | null {
  const policy = parseSnapshotName(name)?.policy
  if (policy === SAFETY) return 'it is the previous state of a restore, which stapes knows by that name'
  if (policy !== undefined && policy !== MANUAL)
    return `it is that of a slot of ${policy}, which stapes knows by that name: hold it instead if it is to stay`
  if (!isAddressable(name))
    return "Incus's API can't address a name with such characters: rename it on the server"
  return refuseName(to)
}
