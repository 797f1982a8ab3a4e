/**
 * The drivers of the pools that instances live in. A pool's driver never changes, so it is asked for once
 * an hour and not with every inventory; an hour, because a pool may go and another take its name.
 */
import type { Clock } from '../../shared/clock.ts'
import { request } from '../../shared/incus/routes.ts'
import { call } from './call.ts'
import { isObject, text } from './envelope.ts'
import type { Upstream } from './upstream.ts'

/** Driver by pool, of those asked for; one that can't be read is absent, and asked for again next time. */
export type Pools = (remote: string, names: Iterable<string>) => Promise<Record<string, string>>

const HOUR = 3_600_000

export function createPools(upstream: Upstream, clock: Clock): Pools {
  const known = new Map<string, { driver: string; at: number }>()
  const driverOf = async (remote: string, pool: string): Promise<string> => {
    const key = `${remote}\n${pool}`
    const remembered = known.get(key)
    if (remembered !== undefined && clock.now() - remembered.at < HOUR) return remembered.driver
    known.delete(key)
    const driver = await readDriver(upstream, remote, pool)
    if (driver !== '') known.set(key, { driver, at: clock.now() })
    return driver
  }
  return async (remote, names) => {
    const read = async (pool: string) => [pool, await driverOf(remote, pool)] as const
    const drivers = await Promise.all([...names].map(read))
    return Object.fromEntries(drivers.filter(([, driver]) => driver !== ''))
  }
}

async function readDriver(upstream: Upstream, remote: string, pool: string): Promise<string> {
  const answer = await call(upstream, remote, request('getPool', { pool }))
  const found = answer.ok ? answer.value.envelope.metadata : null
  return isObject(found) ? text(found.driver) : ''
}
