/**
 * Stands for the journal of the relay on its disk: which snapshots of a server it expired itself, and whose own
 * expiry has passed. It outlasts restarts of the relay and the loss of the ledger.
 */
import type { IncusRequest } from '../../shared/incus/routes.ts'
import type { InventoryReply } from '../../shared/relay/protocol.ts'
import type { EmbeddedIncus } from '../emulator/server.ts'
import type { Instance, Snapshot } from '../emulator/state.ts'
import type { Remote } from './world.ts'

/** As the relay does, it forgets the oldest. */
const KEPT = 500

const PATH = /^\/1\.0\/instances\/([^/?]+)\/snapshots\/([^/?]+)(?:\?project=([^&]+))?/

export class LetGo {
  /** By remote: `project/instance/snapshot@seconds`. */
  readonly #known = { main: new Set<string>(), backup: new Set<string>() }
  readonly #incus: Record<Remote, EmbeddedIncus>
  readonly #now: () => number

  constructor(incus: Record<Remote, EmbeddedIncus>, now: () => number) {
    this.#incus = incus
    this.#now = now
  }

  /** Before the call is sent: it was decided, whatever comes of it. */
  hear(remote: Remote, { method, path }: IncusRequest): void {
    const [, instance = '', snapshot = '', project = 'default'] = PATH.exec(path) ?? []
    if (method !== 'DELETE' || snapshot === '') return
    const found = this.#find(remote, project, instance)?.snapshots.get(decodeURIComponent(snapshot))
    if (found !== undefined) this.#note(remote, project, instance, found)
  }

  /** Of all that has an expiry, from when it was last seen. */
  readonly #ends = new Map<string, number>()

  #look(remote: Remote): void {
    for (const [project, { instances }] of this.#incus[remote].state.projects)
      for (const { name, snapshots } of instances.values())
        for (const one of snapshots.values()) {
          const key = `${remote}/${keyOf(project, name, one)}`
          if (one.expires.ms === null) this.#ends.delete(key)
          else this.#ends.set(key, one.expires.ms)
        }
    for (const [key, end] of this.#ends)
      if (key.startsWith(`${remote}/`) && end <= this.#now()) {
        this.#known[remote].add(key.slice(remote.length + 1))
        this.#ends.delete(key)
      }
  }

  #forget(remote: Remote): void {
    const known = this.#known[remote]
    for (const key of [...known].slice(0, Math.max(0, known.size - KEPT))) {
      known.delete(key)
      this.#ends.delete(`${remote}/${key}`)
    }
  }

  addTo(reply: InventoryReply): InventoryReply {
    const remotes = Object.entries(reply.remotes).map(([name, answer]) => {
      const remote = name as Remote
      if (!answer.ok) return [name, answer]
      this.#look(remote)
      this.#forget(remote)
      const letGo = [...new Set([...(answer.inventory.letGo ?? []), ...this.#known[remote]])]
      return [name, { ...answer, inventory: { ...answer.inventory, letGo } }]
    })
    return { ...reply, remotes: Object.fromEntries(remotes) }
  }

  #find(remote: Remote, project: string, instance: string): Instance | undefined {
    return this.#incus[remote].state.projects.get(project)?.instances.get(instance)
  }

  #note(remote: Remote, project: string, instance: string, snapshot: Snapshot): void {
    this.#known[remote].add(keyOf(project, instance, snapshot))
  }
}

const keyOf = (project: string, instance: string, { name, second }: Snapshot): string =>
  `${project}/${instance}/${name}@${second}`
