/** The hand of a test in a server: instances, projects and data without going through the API. */
import { addInstance } from './birth.ts'
import { addCustom, customOf } from './custom.ts'
import type { EmbeddedIncus } from './server.ts'
import {
  type Config,
  type Driver,
  findInstance,
  findPool,
  findProject,
  findSnapshot,
  homeOf,
  type Instance,
  newProject,
} from './state.ts'

type Named = { project?: string; name: string }

/** A project that shares the profiles of `default`; existing is fine. */
export function seedProject(incus: EmbeddedIncus, name: string): void {
  if (incus.state.projects.has(name)) return
  incus.state.projects.set(name, newProject(name, { 'features.profiles': 'false' }))
}

export function seedInstance(
  incus: EmbeddedIncus,
  wanted: Named & {
    running?: boolean
    config?: Config
    profiles?: string[]
    type?: Instance['type']
    location?: string
  },
): Instance {
  const { project = 'default', name, running = false, config = {}, profiles = ['default'] } = wanted
  const settings = {
    architecture: 'x86_64',
    description: '',
    ephemeral: false,
    devices: {},
    config,
    profiles,
  }
  const instance = addInstance(incus, project, name, settings)
  instance.type = wanted.type ?? 'container'
  instance.location = wanted.location ?? 'none'
  setRunning(instance, running)
  return instance
}

export function setRunning(instance: Instance, running: boolean): void {
  instance.status = running ? 'Running' : 'Stopped'
}

/** Creates or replaces a profile of the project `default` that holds nothing but config. */
export function seedProfile(incus: EmbeddedIncus, name: string, config: Config): void {
  findProject(incus.state, 'default').profiles.set(name, { name, description: '', config, devices: {} })
  incus.scheduler.configChanged()
}

export const instanceOf = (incus: EmbeddedIncus, { project = 'default', name }: Named): Instance =>
  findInstance(incus.state, project, name)

/** As if the pool had been made so. */
export function setDriver(incus: EmbeddedIncus, driver: Driver, config: Config = {}): void {
  Object.assign(findPool(incus.state, 'default'), { driver, config })
}

/** What a person has removed, which no rule forbids. */
export const removedByHand = new WeakSet<object>()

/** A custom volume on the instance; what is returned takes it off, and removes the volume. */
export function attachVolume(incus: EmbeddedIncus, it: Named, volume: string): () => void {
  const instance = instanceOf(incus, it)
  const { pool, project } = instance
  addCustom(incus, { pool, project, name: volume })
  useVolume(incus, it, volume)
  return () => {
    delete instance.devices[volume]
    removedByHand.add(customOf(incus, { pool, project, name: volume }))
    findPool(incus.state, pool).volumes.delete(`${homeOf(incus.state, project)}/${volume}`)
  }
}

/** One that is there already. */
export function useVolume(incus: EmbeddedIncus, it: Named, volume: string): void {
  const { devices, pool } = instanceOf(incus, it)
  devices[volume] = { type: 'disk', pool, source: volume, path: `/${volume}` }
}

let contents = 0

export function writeVolume(incus: EmbeddedIncus, name: string, marker: string, bytes: number): void {
  customOf(incus, { name }).disk = { held: 'whole', marker, bytes, content: ++contents }
}

export function readVolumeMarker(incus: EmbeddedIncus, name: string, snapshot?: string): string | null {
  const volume = customOf(incus, { name })
  const disk = snapshot === undefined ? volume.disk : volume.snapshots.get(snapshot)?.disk
  return disk?.held === 'whole' ? disk.marker : null
}

/** So many bytes of fresh data, to be known again by their marker. */
export function write(instance: Instance, marker: string, bytes: number): void {
  instance.disk = { held: 'whole', marker, bytes, content: ++contents }
}

/** The truth about the data of an instance or its snapshot; null when there are none. */
export function readMarker(incus: EmbeddedIncus, it: Named, snapshot?: string): string | null {
  const instance = instanceOf(incus, it)
  const { held, marker } = (snapshot === undefined ? instance : findSnapshot(instance, snapshot)).disk
  return held === 'whole' ? marker : null
}

/** Whether a snapshot, or the instance itself, could really be restored. */
export function hasData(incus: EmbeddedIncus, it: Named, snapshot?: string): boolean {
  const instance = incus.state.projects.get(it.project ?? 'default')?.instances.get(it.name)
  const found = snapshot === undefined ? instance : instance?.snapshots.get(snapshot)
  return found?.disk.held === 'whole'
}
