/** The transfer itself, once both sides are connected: mirror deletions, then snapshot by snapshot, then the head. */

import { formatSecond } from './dates.ts'
import { Refusal } from './envelope.ts'
import type { Receiving, Sending } from './migration.ts'
import { mirror } from './mirror.ts'
import type { EmbeddedIncus } from './server.ts'
import { busyText } from './snapshots.ts'
import { type Disk, findPool, findProject, type Snapshot } from './state.ts'

type Step = { original: Snapshot; arrival: Snapshot; bytes: number }

export class Transfer {
  readonly source: Sending
  readonly target: Receiving
  #waiting: Transfer[] = []
  #steps: Step[] = []
  #current: { name: string; since: number; rate: number | null } | null = null
  #over = false

  constructor(source: Sending, target: Receiving) {
    this.source = source
    this.target = target
  }

  /** One copy at a time per source instance: a second one waits for the first, and then fails. */
  begin(): void {
    const first = [...this.source.server.transfers].find(
      ({ source }) => source.instance === this.source.instance,
    )
    this.source.server.transfers.add(this)
    this.target.server.transfers.add(this)
    if (first !== undefined) {
      first.#waiting.push(this)
      return
    }
    try {
      this.#prepare()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.fail(error.message)
      return
    }
    this.#next(0)
  }

  /** "c1/snap2: 69.66MB (34.82MB/s)", for people. */
  progress(): Record<string, string> | null {
    if (this.#current === null || this.#current.rate === null) return null
    const { name, since, rate } = this.#current
    const sent = ((this.target.server.now() - since) / 1000) * rate
    const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(2)}MB`
    return { fs_progress: `${name}: ${mega(sent)} (${mega(rate)}/s)` }
  }

  #prepare(): void {
    const { source, target } = this
    if (source.instance.busy !== null) throw new Refusal(500, busyText(source.instance.busy))
    if (!findProject(source.server.state, source.instance.project).instances.has(source.instance.name))
      throw new Refusal(404, 'Instance not found')
    if (isBtrfs(target) && target.instance.disk.held === 'phantom' && !target.isNew)
      throw new Refusal(500, 'Volume exists in database but not on storage')
    source.instance.busy = 'migrate'
    this.#steps = this.#plan()
    const head = this.#steps.at(-1)?.original.disk ?? null
    this.#headBytes = this.#headCost(head)
  }

  #headBytes = 0

  /** Deletions happen here and stay, whatever becomes of the rest; the records of what will be sent appear. */
  #plan(): Step[] {
    const { snapshots } = this.target.instance
    const offered = this.source.instanceOnly
      ? []
      : [...this.source.instance.snapshots.values()]
          .filter(({ inMaking }) => !inMaking)
          .sort((a, b) => a.second - b.second)
    const { remove, send, base } = mirror(offered, this.#present(), this.target.excludeOlder)
    for (const { name } of remove) snapshots.delete(name)
    const wanted = this.target.instanceOnly ? [] : send
    let previous: Disk | null = base?.disk ?? null
    return wanted.map((original) => {
      const arrival = arrivalOf(original)
      const step = { original, arrival, bytes: costOf(previous, original.disk) }
      previous = original.disk
      snapshots.set(original.name, arrival)
      return step
    })
  }

  /** What counts as being there: on btrfs a snapshot that isn't on disk is sent again, on dir it never is. */
  #present(): ReadonlyMap<string, Snapshot> {
    const { snapshots } = this.target.instance
    if (!isBtrfs(this.target)) return snapshots
    return new Map([...snapshots].filter(([, { disk }]) => disk.held !== 'phantom'))
  }

  /** btrfs sends the head again each time, rsync only what changed. */
  #headCost(last: Disk | null): number {
    const { disk } = this.source.instance
    const bothBtrfs = isBtrfs(this.source) && isBtrfs(this.target)
    return bothBtrfs
      ? disk.bytes
      : costOf(last ?? (this.target.isNew ? null : this.target.instance.disk), disk)
  }

  #next(at: number): void {
    if (this.#over) return
    const step = this.#steps[at]
    const name = step === undefined ? '' : `/${step.original.name}`
    const { bandwidth, copyMs } = this.source.server
    this.#current = {
      name: this.source.instance.name + name,
      since: this.target.server.now(),
      rate: bandwidth,
    }
    const bytes = step?.bytes ?? this.#headBytes
    if (
      findPool(this.target.server.state, this.target.instance.pool).full &&
      (bytes > 0 || step !== undefined)
    ) {
      this.fail('Failed to receive: write: No space left on device')
      return
    }
    const present = step === undefined || this.#stillThere(step.original)
    const ms = (bandwidth === null ? 0 : (bytes / bandwidth) * 1000) + (step === undefined ? copyMs : 0)
    this.#pass(ms, () => {
      if (step === undefined) return this.#finish()
      step.arrival.disk = present
        ? { ...step.original.disk }
        : { ...step.original.disk, held: 'empty', marker: null }
      step.arrival.inMaking = false
      this.target.server.scheduler.expects(step.arrival.expires)
      this.#next(at + 1)
    })
  }

  /** A snapshot that goes before its turn arrives as an empty one, and nobody says so. */
  #stillThere(original: Snapshot): boolean {
    return this.source.instance.snapshots.get(original.name) === original && original.disk.held === 'whole'
  }

  #pass(ms: number, then: () => void): void {
    if (ms === 0) then()
    else
      this.target.server.options.clock.after(ms, () => {
        if (!this.#over) then()
      })
  }

  #finish(): void {
    this.target.instance.disk = { ...this.source.instance.disk }
    this.#end(null, null)
  }

  /** Both operations fail; a new target is removed, an old one loses the records that were not yet filled. */
  fail(targetText: string, sourceText = targetText): void {
    if (this.#over) return
    const { target } = this
    for (const { original, arrival } of this.#steps) {
      if (arrival.inMaking) target.instance.snapshots.delete(original.name)
    }
    if (target.isNew) forgetInstance(target)
    this.#end(new Refusal(500, targetErrorText(targetText)), new Refusal(500, sourceErrorText(sourceText)))
  }

  /** One of the two daemons was killed. What it was writing stays as it was at that moment. */
  serverDied(server: EmbeddedIncus): void {
    if (this.#over) return
    if (server === this.target.server) this.#leaveHalfDone()
    else
      this.fail('Failed reading migration header: websocket: close 1006 (abnormal closure): unexpected EOF')
    if (this.#over) return
    this.#end(
      null,
      new Refusal(500, sourceErrorText('websocket: close 1006 (abnormal closure): unexpected EOF')),
    )
  }

  #leaveHalfDone(): void {
    const { instance, isNew } = this.target
    for (const { arrival } of this.#steps) arrival.inMaking = false
    if (isNew) instance.disk = { ...instance.disk, held: isBtrfs(this.target) ? 'phantom' : 'empty' }
  }

  #end(targetError: Refusal | null, sourceError: Refusal | null): void {
    this.#over = true
    this.#current = null
    const { source, target } = this
    for (const { server } of [source, target]) server.transfers.delete(this)
    if (source.instance.busy === 'migrate') source.instance.busy = null
    target.instance.busy = null
    target.server.operations.end(target.operation, targetError)
    source.server.operations.end(source.operation, sourceError)
    for (const later of this.#waiting) later.fail('A matching non-reusable operation has now succeeded')
  }
}

const isBtrfs = ({ server, instance }: Sending | Receiving): boolean =>
  findPool(server.state, instance.pool).driver === 'btrfs'

/** Whole, or nothing when the content is the same as that of what was sent before. */
const costOf = (previous: Disk | null, disk: Disk): number =>
  previous !== null && previous.content === disk.content ? 0 : disk.bytes

/** The expiry travels along; the date is cut to the second, except in the volumes listing. */
const arrivalOf = (original: Snapshot): Snapshot => ({
  ...original,
  createdAt: formatSecond(original.second),
  disk: { ...original.disk, held: 'phantom' },
  inMaking: true,
})

/** The record of an instance whose first copy came to nothing. */
export function forgetInstance({ server, instance }: Receiving): void {
  server.state.projects.get(instance.project)?.instances.delete(instance.name)
}

export const targetErrorText = (text: string): string =>
  `Error transferring instance data: Failed migration on target: ${text}`

export const sourceErrorText = (text: string): string => `Failed migration on source: ${text}`
