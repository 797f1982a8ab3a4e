/**
 * Whether the relay's own key could delete what a store should keep from it. That is tried on a small object that the relay has
 * just written, never on an export. Where it can't be deleted, it goes at a later check.
 */
import { randomBytes } from 'node:crypto'
import type { Deletes } from '../../shared/incus/inventory.ts'
import { safeText } from '../../shared/safe-text.ts'
import type { Store } from './store.ts'

/** No remote is called so. */
const FOLDER = '.stapes-check'
/** Of a year, all that a lock may have kept. */
const MOST = 400

const HOUR = 3_600_000

/** `now`: milliseconds since the epoch. */
export async function checkLock(store: Store, now: number): Promise<Deletes> {
  try {
    const left = (await store.list(FOLDER, '.json')).toSorted().slice(0, MOST)
    const name = `${new Date(now).toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(4).toString('hex')}.json`
    const path = `${FOLDER}/${name}`
    if (!(await store.put(path, '{}\n'))) return unknown('it has that object already')
    const state = await store.about(path)
    if (state === null) return unknown('it has not what was written into it')
    const refusal = await store.erase(path)
    // The oldest ones go first; what is kept now, the younger ones are too.
    for (const one of left) if ((await store.erase(`${FOLDER}/${one}`)) !== null) break
    if (refusal === null) return { can: true }
    if (state.until === null) return { can: false }
    // To the hour, so that it reads the same each time.
    return { can: false, seconds: Math.round((state.until - now) / HOUR) * 3600 }
  } catch (cause) {
    return unknown(cause instanceof Error ? cause.message : String(cause))
  }
}

const unknown = (why: string): Deletes => ({ can: null, why: safeText(why, 300) })
