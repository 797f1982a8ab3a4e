/** Hears of every snapshot, instance and custom volume that comes or goes on a server at that moment, whatever anybody answers. */
import type { Manifest } from '../../shared/work/export/manifest.ts'
import type { EmbeddedIncus } from '../emulator/server.ts'
import type { Custom, CustomSnapshot, Instance, Snapshot } from '../emulator/state.ts'
import type { Remote, World } from './world.ts'

/** What has snapshots. */
export type Holder = Instance | Custom
export type Held = Snapshot | CustomSnapshot

export type SnapshotEvent = { remote: Remote; holder: Holder; snapshot: Held; at: number }
export type HolderEvent = { remote: Remote; holder: Holder; at: number }
/** `key`: as the stores know it. */
export type ExportEvent = { key: string; manifest: Manifest; archive: Uint8Array; at: number }

/** Called before the change is made, so that the state is still as it was. */
export type Listener = {
  made?(event: SnapshotEvent): void
  gone?(event: SnapshotEvent): void
  holderGone?(event: HolderEvent): void
  exported?(event: ExportEvent): void
  exportGone?(event: ExportEvent): void
}

export function listen(world: World, listener: Listener): void {
  for (const remote of ['main', 'backup'] as const) listenTo(remote, world.incus[remote], listener)
  const at = () => world.clock.now()
  watch(world.stores.made, {
    came: (made, key) => listener.exported?.({ key, ...made, at: at() }),
    went: (made, key) => listener.exportGone?.({ key, ...made, at: at() }),
  })
}

function listenTo(remote: Remote, incus: EmbeddedIncus, listener: Listener): void {
  const at = () => incus.now()
  const watchSnapshots = (holder: Holder) =>
    watch<Held>(holder.snapshots as Map<string, Held>, {
      came: (snapshot) => listener.made?.({ remote, holder, snapshot, at: at() }),
      went: (snapshot) => listener.gone?.({ remote, holder, snapshot, at: at() }),
    })
  const watchHolders = (holders: Map<string, Instance> | Map<string, Custom>) => {
    for (const holder of holders.values()) watchSnapshots(holder)
    watch<Holder>(holders as Map<string, Holder>, {
      came: watchSnapshots,
      went: (holder) => listener.holderGone?.({ remote, holder, at: at() }),
    })
  }
  for (const { instances } of incus.state.projects.values()) watchHolders(instances)
  for (const { volumes } of incus.state.pools.values()) watchHolders(volumes)
}

function watch<T>(
  map: Map<string, T>,
  { came, went }: { came(value: T, key: string): void; went(value: T, key: string): void },
): void {
  const set = map.set.bind(map)
  const remove = map.delete.bind(map)
  map.set = (key, value) => {
    came(value, key)
    return set(key, value)
  }
  map.delete = (key) => {
    const value = map.get(key)
    if (value !== undefined) went(value, key)
    return remove(key)
  }
}
