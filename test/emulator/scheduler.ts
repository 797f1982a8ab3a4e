/**
 * What the daemon does by itself every 60 s after its start: find what expired and what is due, prune,
 * then create. With the faults of the real one: it fires in the minute before the slot, catches nothing
 * up, and the first error ends the batch.
 */

import { removeCustomSnapshot } from './custom.ts'
import type { Moment } from './dates.ts'
import { Refusal } from './envelope.ts'
import { isDue, isIdle } from './schedule.ts'
import type { EmbeddedIncus } from './server.ts'
import { defaultExpiry, removeSnapshot, snapshotTask, unnamed } from './snapshots.ts'
import { type Custom, expand, type Instance, type Snapshot } from './state.ts'

const ROUND_MS = 60_000

export class Scheduler {
  readonly #server: EmbeddedIncus
  #started = 0
  /** A lower bound of when the next snapshot expires, so that idle rounds cost nothing. */
  #earliest = Number.POSITIVE_INFINITY
  #scheduled = false
  #armed: { at: number; off: () => void } | null = null

  constructor(server: EmbeddedIncus) {
    this.#server = server
  }

  start(): void {
    this.#started = this.#server.now()
    this.#armed = null
    this.#survey()
    this.#arm()
  }

  /** A snapshot that expires then exists. */
  expects(expires: Moment): void {
    if (expires.ms === null || expires.ms >= this.#earliest) return
    this.#earliest = expires.ms
    this.#arm()
  }

  /** Configuration or profiles changed: schedules may have come or gone. */
  configChanged(): void {
    this.#survey()
    this.#arm()
  }

  *#instances(): Iterable<Instance> {
    for (const project of this.#server.state.projects.values()) yield* project.instances.values()
  }

  *#volumes(): Iterable<Custom> {
    for (const { volumes } of this.#server.state.pools.values()) yield* volumes.values()
  }

  #survey(): void {
    this.#earliest = Number.POSITIVE_INFINITY
    this.#scheduled = false
    for (const instance of this.#instances()) {
      if (!isIdle(scheduleOf(this.#server, instance))) this.#scheduled = true
      for (const { expires } of instance.snapshots.values())
        if (expires.ms !== null) this.#earliest = Math.min(this.#earliest, expires.ms)
    }
    for (const { snapshots } of this.#volumes())
      for (const { expires } of snapshots.values())
        if (expires.ms !== null) this.#earliest = Math.min(this.#earliest, expires.ms)
  }

  /** Rounds keep their phase; those that could do nothing are left out. */
  #arm(): void {
    const now = this.#server.now()
    const wanted = this.#scheduled ? now : this.#earliest
    if (wanted === Number.POSITIVE_INFINITY) return
    const rounds = Math.ceil((Math.max(wanted, now + 1) - this.#started) / ROUND_MS)
    const at = this.#started + rounds * ROUND_MS
    if (this.#armed !== null && this.#armed.at <= at) return
    this.#armed?.off()
    this.#armed = { at, off: this.#server.after(at - now, () => this.#round()) }
  }

  #round(): void {
    this.#armed = null
    const now = this.#server.now()
    const expired = [...this.#instances()].flatMap((instance) => expiredOf(instance, now))
    const due = this.#scheduled ? [...this.#instances()].filter((instance) => this.#isDue(instance, now)) : []
    if (expired.length > 0) this.#batch('Cleaning up expired instance snapshots', () => prune(expired))
    const old = [...this.#volumes()].filter((volume) => endedOf(volume, now).length > 0)
    if (old.length > 0)
      this.#batch('Cleaning up expired volume snapshots', () => {
        for (const volume of old) for (const name of endedOf(volume, now)) removeCustomSnapshot(volume, name)
      })
    if (due.length > 0) this.#batch('Create scheduled instance snapshots', () => this.#createAll(due))
    this.#survey()
    this.#arm()
  }

  #isDue(instance: Instance, now: number): boolean {
    const { config } = expand(this.#server.state, instance.project, instance)
    if (instance.status !== 'Running' && config['snapshots.schedule.stopped'] !== 'true') return false
    return isDue(config['snapshots.schedule'] ?? '', instance.id, now)
  }

  /** The first that is refused ends the batch for all that come after it. */
  #createAll(due: Instance[]): void {
    for (const instance of due) {
      const name = unnamed(this.#server, instance)
      snapshotTask(
        this.#server,
        instance,
        { name, expires: defaultExpiry(this.#server, instance), stateful: false },
        null,
      )
    }
  }

  /** Its only trace is an operation without project and resources. */
  #batch(description: string, work: () => void): void {
    this.#server.operations.task(
      { description, project: null, resources: {} },
      { begin: work, end: () => {} },
    )
  }
}

function scheduleOf(server: EmbeddedIncus, instance: Instance): string {
  try {
    return expand(server.state, instance.project, instance).config['snapshots.schedule'] ?? ''
  } catch (error) {
    if (error instanceof Refusal) return ''
    throw error
  }
}

const expiredOf = (instance: Instance, now: number): [Instance, Snapshot][] =>
  [...instance.snapshots.values()]
    .filter((snapshot) => !snapshot.inMaking && snapshot.expires.ms !== null && snapshot.expires.ms <= now)
    .map((snapshot) => [instance, snapshot])

const endedOf = ({ snapshots }: Custom, now: number): string[] =>
  [...snapshots.values()].flatMap(({ name, inMaking, expires: { ms } }) =>
    !inMaking && ms !== null && ms <= now ? [name] : [],
  )

function prune(expired: [Instance, Snapshot][]): void {
  for (const [instance, snapshot] of expired) removeSnapshot(instance, snapshot)
}
