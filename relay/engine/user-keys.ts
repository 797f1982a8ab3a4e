/**
 * The keys of an instance that leave its server: those of stapes, and those that policies select by. People who
 * may edit the instance write them, so their length has bounds. Nothing is cut: a mark without its end would
 * vouch for less than it does. What is too long makes that one instance unknown, with the reason.
 */
import type { InstanceRecord } from '../../shared/incus/inventory.ts'
import { maySelectBy } from '../../shared/incus/user-keys.ts'
import { COPYING, PREFIX, RESTORED, VERIFIED } from '../../shared/policy/marks.ts'
import { isObject, text } from './envelope.ts'

/** Marks that name snapshots, at about 40 characters each: room for more than 6,000. */
const LISTS: readonly string[] = [VERIFIED, COPYING, RESTORED]
const LONGEST_LIST = 256 * 1024
const LONGEST_VALUE = 4 * 1024
/** All of one instance together, keys and values. */
const MOST = 512 * 1024
/** All of one remote together; with this and the rest of it stays below what a remote may send, see packing.ts. */
const BUDGET = 10_000_000

export function wantedBy(selectedBy: readonly string[]): (key: string) => boolean {
  const named = new Set(selectedBy.filter(maySelectBy))
  return (key) => key.startsWith(PREFIX) || named.has(key)
}

export function userKeys(config: unknown, isWanted: (key: string) => boolean): Record<string, string> {
  if (!isObject(config)) return {}
  const wanted = Object.entries(config).filter(([key]) => isWanted(key))
  return Object.fromEntries(wanted.map(([key, value]) => [key, text(value)]))
}

/** Half of a pair: no request can have it in its path. */
const BROKEN = /\p{Cs}/u

/** Null if all of them may go; else which doesn't, and what to do. */
export function refuseKeys(config: Readonly<Record<string, string>>): string | null {
  let all = 0
  for (const [key, value] of Object.entries(config)) {
    if (BROKEN.test(key) || BROKEN.test(value))
      return `its key ${shown(key)} holds characters that can't be encoded: unset it`
    const longest = LISTS.includes(key) ? LONGEST_LIST : LONGEST_VALUE
    if (value.length > longest)
      return `its key ${shown(key)} has ${value.length} characters, and at most ${longest} are read: shorten it, or unset it`
    all += key.length + value.length
  }
  return all > MOST
    ? `its ${PREFIX}* keys have ${all} characters together, and at most ${MOST} are read: unset those that nobody needs`
    : null
}

/** Keys are foreign text, too. */
const shown = (key: string): string => key.slice(0, 100).replace(/[^\w.-]/g, '?')

/** Of an instance whose keys stay where they are, only the name is known, as of one that is away. */
export function withhold(record: InstanceRecord, problem: string): void {
  Object.assign(record, { config: {}, own: [], offline: true, oversized: true, snapshots: null, problem })
}

/** Many instances with keys of a lawful length could fill the Worker's memory: the largest are left out first. */
export function withinBudget(records: readonly InstanceRecord[]): void {
  const sizes = records.map((record) => ({ record, size: sizeOf(record.config) }))
  let over = sizes.reduce((sum, { size }) => sum + size, 0) - BUDGET
  if (over <= 0) return
  for (const { record, size } of sizes.sort((a, b) => b.size - a.size)) {
    if (over <= 0) return
    withhold(
      record,
      `the ${PREFIX}* keys of all instances on its server are longer than what is read of them, and its own have ${size} characters: shorten them`,
    )
    over -= size
  }
}

const sizeOf = (config: Readonly<Record<string, string>>): number =>
  Object.entries(config).reduce((sum, [key, value]) => sum + key.length + value.length, 0)
