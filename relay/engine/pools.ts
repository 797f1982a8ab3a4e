/**
 * The drivers of the instances' pools. A pool's driver never changes, so it is cached for an hour; not longer,
 * because a pool may be replaced by another of the same name.
 */
import type { Clock } from '../../shared/clock.ts'
import type { RemoteInventory } from '../../shared/incus/inventory.ts'
import { request } from '../../shared/incus/routes.ts'
import { call } from './call.ts'
import { isObject, text } from './envelope.ts'
import type { Upstream } from './upstream.ts'

type Pool = { driver: string; thick: boolean }

/** One that can't be read is absent, and read again next time. */
export type Pools = (
  remote: string,
  names: Iterable<string>,
) => Promise<Pick<RemoteInventory, 'pools' | 'thick'>>

const HOUR = 3_600_000

export function createPools(upstream: Upstream, clock: Clock): Pools {
  const known = new Map<string, { pool: Pool; at: number }>()
  const look = async (remote: string, name: string): Promise<Pool | null> => {
    const key = `${remote}\n${name}`
    const remembered = known.get(key)
    if (remembered !== undefined && clock.now() - remembered.at < HOUR) return remembered.pool
    known.delete(key)
    const pool = await readPool(upstream, remote, name)
    if (pool !== null) known.set(key, { pool, at: clock.now() })
    return pool
  }
  return async (remote, names) => {
    const read = async (name: string) => [name, await look(remote, name)] as const
    const seen = await Promise.all([...names].map(read))
    const pools = Object.fromEntries(
      seen.flatMap(([name, pool]) => (pool === null ? [] : [[name, pool.driver]])),
    )
    const thick = seen.flatMap(([name, pool]) => (pool?.thick === true ? [name] : []))
    return thick.length === 0 ? { pools } : { pools, thick }
  }
}

/** LVM's snapshots are thin unless the pool's config says otherwise. */
async function readPool(upstream: Upstream, remote: string, pool: string): Promise<Pool | null> {
  const answer = await call(upstream, remote, request('getPool', { pool }))
  const found = answer.ok ? answer.value.envelope.metadata : null
  const driver = isObject(found) ? text(found.driver) : ''
  if (!isObject(found) || driver === '') return null
  const config = isObject(found.config) ? found.config : {}
  return { driver, thick: driver === 'lvm' && text(config['lvm.use_thinpool']) === 'false' }
}
