/**
 * The drivers of the instances' pools. A pool's driver never changes, so it is cached for an hour; not longer,
 * because a pool may be replaced by another of the same name.
 */
import type { Clock } from '../../shared/clock.ts'
import type { RemoteInventory } from '../../shared/incus/inventory.ts'
import { request } from '../../shared/incus/routes.ts'
import { safeText } from '../../shared/safe-text.ts'
import { eachOf } from './each.ts'
import { isObject, text } from './envelope.ts'
import type { Read } from './snapshots.ts'

type Pool = { driver: string; thick: boolean }

/** One that can't be read is absent, and read again next time. */
export type Pools = (
  remote: string,
  names: Iterable<string>,
  read: Read,
) => Promise<Pick<RemoteInventory, 'pools' | 'thick'>>

const HOUR = 3_600_000
/** Read at once. */
const AT_ONCE = 8

export function createPools(clock: Clock): Pools {
  /** By remote: the pools that it named at the last look. */
  const known = new Map<string, Map<string, { pool: Pool; at: number }>>()
  return async (remote, names, read) => {
    const before = known.get(remote)
    const now = new Map<string, { pool: Pool; at: number }>()
    const seen: [string, Pool | null][] = []
    await eachOf([...names], AT_ONCE, async (name) => {
      const remembered = before?.get(name)
      const fresh = remembered !== undefined && clock.now() - remembered.at < HOUR ? remembered : null
      const pool = fresh === null ? await readPool(read, name) : fresh.pool
      if (pool !== null) now.set(name, fresh ?? { pool, at: clock.now() })
      seen.push([name, pool])
    })
    known.set(remote, now)
    const pools = Object.fromEntries(
      seen.flatMap(([name, pool]) => (pool === null ? [] : [[name, pool.driver]])),
    )
    const thick = seen.flatMap(([name, pool]) => (pool?.thick === true ? [name] : []))
    return thick.length === 0 ? { pools } : { pools, thick }
  }
}

/** LVM's snapshots are thin unless the pool's config says otherwise. */
async function readPool(read: Read, pool: string): Promise<Pool | null> {
  const answer = await read(request('getPool', { pool }), (found): Pool | null => {
    const driver = isObject(found) ? safeText(text(found.driver), WORD) : ''
    if (!isObject(found) || driver === '') return null
    const config = isObject(found.config) ? found.config : {}
    return { driver, thick: driver === 'lvm' && text(config['lvm.use_thinpool']) === 'false' }
  })
  return answer.ok ? answer.value : null
}

/** Characters of a driver's name. */
const WORD = 100
