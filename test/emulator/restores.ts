/** Restoring in place: stop, storage, config, start; what fails or dies on the way leaves it as far as it came. */
import { field } from './body.ts'
import { Refusal, type Reply } from './envelope.ts'
import { checkIdle, instanceOperation, putInstance } from './instances.ts'
import type { Call, EmbeddedIncus } from './server.ts'
import { copyingMs, reachable } from './snapshots.ts'
import {
  copySettings,
  type Disk,
  findInstance,
  findPool,
  type Instance,
  type Pool,
  type Snapshot,
} from './state.ts'
import { run } from './states.ts'

/** How much of its time goes by before the config is the snapshot's; the rest is the start. */
const STORAGE = 0.75

/** `restore` brings back disk and settings of a snapshot, stopping and starting what runs; else an update. */
export function putOrRestore(server: EmbeddedIncus, call: Call): Reply {
  const name = field(call.body, 'restore')
  if (typeof name !== 'string' || name === '') return putInstance(server, call)
  const instance = reachable(server, findInstance(server.state, call.project, call.parameters.instance ?? ''))
  const ms = server.restoreMs + copyingMs(server, instance.pool, instance.snapshots.get(name)?.disk)
  let restore: Restore | null = null
  return server.operations.task(instanceOperation('Restoring snapshot', instance), {
    hold: (go) => afterRestore(server, instance, go),
    begin: () => {
      // Those that don't know it restore all.
      const diskOnly =
        field(call.body, 'disk_only') === true &&
        server.face.extensions.includes('instance_snapshot_disk_only_restore')
      const how = { stateful: field(call.body, 'stateful') === true, diskOnly }
      restore = new Restore(server, instance, name, how)
      server.after(ms * STORAGE, restore.replace)
    },
    ms,
    end: () => restore?.finish(),
  })
}

/**
 * Another restore waits for one under way; a start and snapshots are let through, and see half of it. A
 * PATCH would wait too, but is refused here, so that a client finds out what it does with that.
 */
function afterRestore(server: EmbeddedIncus, instance: Instance, go: () => void): void {
  const waiting = server.restores.get(instance)
  if (waiting === undefined) go()
  else waiting.push(() => afterRestore(server, instance, go))
}

class Restore {
  readonly #server: EmbeddedIncus
  readonly #instance: Instance
  readonly #snapshot: Snapshot
  readonly #wasRunning: boolean
  readonly #stateful: boolean
  readonly #diskOnly: boolean
  readonly #diskBefore: Disk
  #refusal: Refusal | null = null

  constructor(
    server: EmbeddedIncus,
    instance: Instance,
    name: string,
    { stateful, diskOnly }: { stateful: boolean; diskOnly: boolean },
  ) {
    checkIdle(instance, 'restore')
    const snapshot = instance.snapshots.get(name)
    if (snapshot === undefined) throw new Refusal(404, `Snapshot ${instance.name}/${name} does not exist`)
    this.#server = server
    this.#instance = instance
    this.#snapshot = snapshot
    this.#stateful = stateful
    this.#diskOnly = diskOnly
    this.#wasRunning = instance.status !== 'Stopped'
    // The storage is asked last: what it refuses stays stopped.
    instance.status = 'Stopped'
    checkDriver(server, instance, snapshot)
    server.restores.set(instance, [])
    instance.busy = 'restore'
    this.#diskBefore = instance.disk
    instance.disk = { ...instance.disk, held: 'half' }
  }

  /** A snapshot that went meanwhile takes nothing from the success; its data never came. */
  readonly replace = (): void => {
    const { snapshots, pool } = this.#instance
    try {
      if (snapshots.get(this.#snapshot.name) === this.#snapshot)
        this.#instance.disk = whatIsIn(this.#snapshot, findPool(this.#server.state, pool))
      if (this.#diskOnly) return
      const { profiles } = this.#instance
      Object.assign(this.#instance, copySettings(this.#snapshot.settings), { profiles })
      this.#server.scheduler.configChanged()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      // Before anything was written, or btrfs puts the old subvolume back.
      this.#instance.disk = this.#diskBefore
      this.#refusal = error
    }
  }

  finish(): void {
    const waiting = this.#server.restores.get(this.#instance) ?? []
    this.#server.restores.delete(this.#instance)
    this.#instance.busy = null
    try {
      if (this.#refusal !== null) throw this.#refusal
      if (this.#stateful) this.#goOn()
      else if (this.#wasRunning) run(this.#server, this.#instance)
    } finally {
      for (const go of waiting) go()
    }
  }

  /** From the memory, whether it ran before or not; that there is none is found out last. */
  #goOn(): void {
    const { memory } = this.#snapshot
    if (this.#instance.type === 'container')
      throw new Refusal(500, 'Stateful snapshot restore requested but snapshot is stateless')
    if (memory === undefined) throw new Refusal(500, NO_STATE_FILE)
    run(this.#server, this.#instance)
    this.#instance.memory = memory
  }
}

const NO_STATE_FILE = 'Failed opening state file "/…/state": open /…/state: no such file or directory'

/** A partial one is taken as it is, and nobody says that it isn't all; what isn't there at all is missed. */
function whatIsIn({ disk }: Snapshot, { driver }: Pool): Disk {
  if (disk.held !== 'phantom') return { ...disk }
  throw new Refusal(500, driver === 'btrfs' ? 'Not a Btrfs subvolume' : 'Snapshot not found')
}

function checkDriver({ state }: EmbeddedIncus, instance: Instance, { name }: Snapshot): void {
  const { driver, config } = findPool(state, instance.pool)
  if (driver === 'lvm' && config['lvm.use_thinpool'] === 'false') {
    const volume = `/dev/${instance.pool}/containers_${instance.name}-${name}`
    throw new Refusal(500, `Failed to run: lvresize -l +100%ORIGIN -f ${volume}: exit status 5`)
  }
  if (driver !== 'zfs' || [...instance.snapshots.keys()].at(-1) === name) return
  const text = `Snapshot "${name}" cannot be restored due to subsequent snapshot(s). Set zfs.remove_snapshots to override`
  throw new Refusal(500, text)
}
