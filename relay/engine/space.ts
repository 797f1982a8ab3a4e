/** How full a pool is. */
import { request } from '../../shared/incus/routes.ts'
import { call } from './call.ts'
import { isObject } from './envelope.ts'
import type { Upstream } from './upstream.ts'

/** Bytes. */
export type Space = { used: number; total: number }

/** Null: its driver doesn't tell, or it can't be read. */
export async function spaceOf(remote: string, pool: string, upstream: Upstream): Promise<Space | null> {
  const seen = await call(upstream, remote, request('getPoolResources', { pool }))
  const metadata = seen.ok ? seen.value.envelope.metadata : null
  const { used, total } = isObject(metadata) && isObject(metadata.space) ? metadata.space : {}
  return typeof used === 'number' && typeof total === 'number' && total > 0 ? { used, total } : null
}

export type PoolSpace = Space & { remote: string; pool: string }

/** How full the pools are that the last looks have shown. */
export function watchSpace(): {
  seen(remote: string, pools: readonly string[]): void
  all(upstream: Upstream): Promise<PoolSpace[]>
} {
  const known = new Map<string, readonly string[]>()
  return {
    seen: (remote, pools) => void known.set(remote, pools),
    async all(upstream) {
      const found: PoolSpace[] = []
      for (const [remote, pools] of known)
        for (const pool of pools) {
          const space = await spaceOf(remote, pool, upstream)
          if (space !== null) found.push({ remote, pool, ...space })
        }
      return found
    },
  }
}
