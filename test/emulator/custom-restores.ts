/** Restores of custom volumes in place: refused while what uses one runs, answered only once they are done, and never an operation. */
import { field } from './body.ts'
import { findCustom } from './custom.ts'
import { Refusal, sync } from './envelope.ts'
import type { Answer, Call, EmbeddedIncus } from './server.ts'
import { copyingMs } from './snapshots.ts'
import { type Custom, type CustomSnapshot, expand, findPool, homeOf } from './state.ts'

/** Config and description stay as they are. */
export function restoreCustom(server: EmbeddedIncus, call: Call): Promise<Answer> {
  const volume = findCustom(server, call)
  const name = field(call.body, 'restore')
  if (typeof name !== 'string' || name === '') throw new Refusal(501, 'the embedded Incus sets no config so')
  if (isInUse(server, volume))
    throw new Refusal(500, 'Cannot restore custom volume used by running instances')
  const snapshot = volume.snapshots.get(name)
  checkDriver(server, volume, name)
  if (snapshot === undefined) throw new Refusal(500, missing(server, volume))
  const before = volume.disk
  volume.disk = { ...before, held: 'half' }
  const ms = server.restoreMs + copyingMs(server, volume.pool, snapshot.disk)
  if (ms === 0) return Promise.resolve(finish(server, volume, snapshot))
  return new Promise((resolve, reject) => {
    server.blocked.add(reject)
    server.after(ms, () => {
      server.blocked.delete(reject)
      try {
        resolve(finish(server, volume, snapshot))
      } catch (error) {
        reject(error)
      }
    })
  })
}

/** One that was removed meanwhile leaves half of it. */
function finish(server: EmbeddedIncus, volume: Custom, snapshot: CustomSnapshot): Answer {
  if (volume.snapshots.get(snapshot.name) !== snapshot) throw new Refusal(500, missing(server, volume))
  volume.disk = { ...snapshot.disk }
  return sync()
}

const missing = ({ state }: EmbeddedIncus, { pool, name }: Custom): string =>
  findPool(state, pool).driver === 'btrfs'
    ? `Failed to run: btrfs subvolume snapshot …/custom-snapshots/default_${name}: exit status 1 (ERROR: Could not statfs: No such file or directory)`
    : 'Snapshot not found'

function checkDriver({ state }: EmbeddedIncus, { pool, snapshots }: Custom, name: string): void {
  if (findPool(state, pool).driver !== 'zfs' || [...snapshots.keys()].at(-1) === name) return
  throw new Refusal(
    500,
    `Snapshot "${name}" cannot be restored due to subsequent snapshot(s). Set zfs.remove_snapshots to override`,
  )
}

/** Of one that is frozen, too, and with what profiles attach. */
const isInUse = ({ state }: EmbeddedIncus, { project, pool, name }: Custom): boolean =>
  [...state.projects.values()].some(
    ({ name: other, instances }) =>
      homeOf(state, other) === project &&
      [...instances.values()].some(
        (instance) =>
          instance.status !== 'Stopped' &&
          Object.values(expand(state, other, instance).devices).some(
            (device) => device.pool === pool && device.source === name,
          ),
      ),
  )
