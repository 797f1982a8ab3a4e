/** What a test can break in a server, besides killing it and `faults` for single requests. */
import type { EmbeddedIncus } from './server.ts'
import { type Action, findPool, findSnapshot, type Instance } from './state.ts'

/** Writes into a full pool fail with "No space left on device": snapshots and arriving copies. */
export function setFull(incus: EmbeddedIncus, full: boolean, pool = 'default'): void {
  findPool(incus.state, pool).full = full
}

/** Holds the instance as a running operation would; null releases it. */
export function hold(instance: Instance, action: Action | null): void {
  instance.busy = action
}

/** What a power cut was seen to leave: the instance has the snapshot on record, its pool has not. */
export function tear(instance: Instance, snapshot: string): void {
  const torn = findSnapshot(instance, snapshot)
  torn.torn = true
  torn.disk = { ...torn.disk, held: 'phantom' }
}

/** A cluster member that can't be reached: its instances show `Error` and null snapshots, and answer to nothing. */
export function setReachable(incus: EmbeddedIncus, member: string, reachable: boolean): void {
  if (reachable) incus.lostMembers.delete(member)
  else incus.lostMembers.add(member)
}

/** Goes down in an orderly way: reads are answered, writes are refused with `Shutting down`. */
export function shutDown(incus: EmbeddedIncus): void {
  incus.phase = 'stopping'
}

/** Is up, but not ready: everything is refused with `Daemon is starting up`. */
export function boot(incus: EmbeddedIncus): void {
  incus.phase = 'starting'
}
