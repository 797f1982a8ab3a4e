import { expect, test } from 'vitest'
import { refuseSpace } from '../../../../relay/engine/steps/export-space.ts'
import type { StepIo } from '../../../../relay/engine/steps/step-io.ts'
import type { Upstream } from '../../../../relay/engine/upstream.ts'
import { REF } from './scene.ts'

/** `usage`: of the instance; `free`: bytes by pool. */
function seen(usage: number | null, free: Record<string, number>): StepIo {
  const metadataOf = (path: string): unknown => {
    if (path.includes('/state')) return { disk: usage === null ? {} : { root: { usage } } }
    const left = free[/storage-pools\/([^/]+)\/resources/.exec(path)?.[1] ?? '']
    return left === undefined ? {} : { space: { used: 1e12 - left, total: 1e12 } }
  }
  const upstream: Upstream = {
    request: async (_, { path }) => ({
      ...{ ok: true, status: 200 },
      body: { type: 'sync', error: '', error_code: 0, metadata: metadataOf(path) },
    }),
  }
  return { upstream } as StepIo
}

test.each([
  ['a full copy fits', 'dir', '', 5e9, { main: 6e9 }, null],
  ['a full copy does not', 'dir', '', 5e9, { main: 4e9 }, 'pool main on main has 4.0 GB left'],
  ['a pool that shares what it copies needs none for it', 'zfs', '', 5e9, { main: 1e9 }, null],
  ['the volume for backups is too small', 'zfs', 'files/backups', 5e9, { files: 1e9 }, 'pool files on main'],
  ['both in one pool add up', 'dir', 'main/backups', 5e9, { main: 9e9 }, 'takes 10 GB there'],
  ['the driver tells no use', 'dir', 'files/backups', null, { main: 0, files: 0 }, null],
  ['the pool tells no room', 'dir', '', 5e9, {}, null],
] as const)('an export where %s', async (_, driver, backups, usage, free, why) => {
  const said = await refuseSpace(REF, { pool: 'main', driver, backups }, seen(usage, free))
  if (why === null) expect(said).toBeNull()
  else expect(said).toContain(why)
})
