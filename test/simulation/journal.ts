/** Hears of every snapshot and instance that comes or goes on a server at that moment, whatever anybody answers. */
import type { EmbeddedIncus } from '../emulator/server.ts'
import type { Instance, Snapshot } from '../emulator/state.ts'
import type { Remote, World } from './world.ts'

export type SnapshotEvent = { remote: Remote; instance: Instance; snapshot: Snapshot; at: number }
export type InstanceEvent = { remote: Remote; instance: Instance; at: number }

/** Called before the change is made, so that the state is still as it was. */
export type Listener = {
  made?(event: SnapshotEvent): void
  gone?(event: SnapshotEvent): void
  instanceGone?(event: InstanceEvent): void
}

export function listen(world: World, listener: Listener): void {
  for (const remote of ['main', 'backup'] as const) listenTo(remote, world.incus[remote], listener)
}

function listenTo(remote: Remote, incus: EmbeddedIncus, listener: Listener): void {
  const at = () => incus.now()
  const watchSnapshots = (instance: Instance) =>
    watch(instance.snapshots, {
      came: (snapshot) => listener.made?.({ remote, instance, snapshot, at: at() }),
      went: (snapshot) => listener.gone?.({ remote, instance, snapshot, at: at() }),
    })
  for (const { instances } of incus.state.projects.values()) {
    for (const instance of instances.values()) watchSnapshots(instance)
    watch(instances, {
      came: watchSnapshots,
      went: (instance) => listener.instanceGone?.({ remote, instance, at: at() }),
    })
  }
}

function watch<T>(map: Map<string, T>, { came, went }: { came(value: T): void; went(value: T): void }): void {
  const set = map.set.bind(map)
  const remove = map.delete.bind(map)
  map.set = (key, value) => {
    came(value)
    return set(key, value)
  }
  map.delete = (key) => {
    const value = map.get(key)
    if (value !== undefined) went(value)
    return remove(key)
  }
}
