/** The transfer itself, once both sides are connected: snapshot by snapshot, oldest first, then the head. */
import { Refusal } from './envelope.ts'
import { freeze, isFreezing } from './freezing.ts'
import type { Receiving, Sending } from './migration.ts'
import type { EmbeddedIncus } from './server.ts'
import { isOptimized, prepareShipment, type Shipment, type Step } from './shipment.ts'
import { busyText, UNEVEN } from './snapshots.ts'
import { type Disk, findPool, type Instance, type Snapshot } from './state.ts'

export const CUT_OFF = 'websocket: close 1006 (abnormal closure): unexpected EOF'

export class Transfer {
  readonly source: Sending
  readonly target: Receiving
  #waiting: Transfer[] = []
  #shipment: Shipment = { steps: [], headBytes: 0 }
  #current: { name: string; since: number; rate: number | null } | null = null
  #over = false
  #tell = (): void => {}
  /** Resolves with its end. */
  readonly ended: Promise<void> = new Promise((resolve) => {
    this.#tell = resolve
  })
  /** Called with the bytes of each part that has arrived. */
  onPart: (bytes: number) => void = () => {}
  #thaw = (): void => {}

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
    if (first !== undefined && this.source.server.face.refusesSecondCopy) {
      this.fail('The instance is already being migrated')
      return
    }
    if (first !== undefined) {
      first.#waiting.push(this)
      return
    }
    try {
      this.#checkSides()
      this.source.instance.busy = 'migrate'
      this.#shipment = prepareShipment(this.source, this.target)
      this.target.instance.mounted ||= this.#isMounting()
      if (this.#isFreezing()) this.#thaw = freeze(this.source.instance)
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

  #isMounting(): boolean {
    const { server, instance, isNew } = this.target
    return isNew && server.face.keepsMounted && findPool(server.state, instance.pool).driver === 'dir'
  }

  /** A virtual machine's disk is sent as it is, except between two btrfs pools. */
  #isFreezing(): boolean {
    const { source, target } = this
    if (source.allowInconsistent) return false
    const raw = source.instance.type === 'virtual-machine' && !isOptimized(source, target)
    return raw || isFreezing(source.server, source.instance)
  }

  #checkSides(): void {
    const { source, target } = this
    if (!isListed(source)) throw new Refusal(404, 'Instance not found')
    const isFailing = source.instance.busy !== null || isUneven(source.instance)
    if (isFailing && !target.isNew && target.server.face.takesFailureForNone)
      target.instance.snapshots.clear()
    if (source.instance.busy !== null) throw new Refusal(500, busyText(source.instance.busy))
    if (isUneven(source.instance) || isUneven(target.instance)) throw new Refusal(500, UNEVEN)
    if (isOptimized(source, target) && target.instance.disk.held === 'phantom' && !target.isNew)
      throw new Refusal(500, 'Volume exists in database but not on storage')
  }

  /** After the last snapshot comes the head. */
  #next(at: number): void {
    const step = this.#shipment.steps[at]
    const { instance, server } = this.source
    this.#current = {
      name: step === undefined ? instance.name : `${instance.name}/${step.original.name}`,
      since: this.target.server.now(),
      rate: server.bandwidth,
    }
    const bytes = step?.bytes ?? this.#shipment.headBytes
    const sending = server.bandwidth === null ? 0 : (bytes / server.bandwidth) * 1000
    if (this.#isFull() && (bytes > 0 || step !== undefined)) this.fail('write: No space left on device')
    else if (step === undefined)
      this.#pass(sending + server.copyMs, () => {
        this.onPart(bytes)
        this.#finish()
      })
    else this.#send(step, sending, at)
  }

  #isFull(): boolean {
    const { server, instance } = this.target
    return findPool(server.state, instance.pool).full
  }

  /** A snapshot that goes before its turn arrives as an empty one, and nobody says so. */
  #send({ original, arrival, bytes }: Step, ms: number, at: number): void {
    const present = this.#isPresent(original)
    this.#pass(ms, () => {
      arrival.disk = present ? { ...original.disk } : { ...original.disk, held: 'empty', marker: null }
      arrival.inMaking = false
      this.onPart(bytes)
      this.target.server.scheduler.expects(arrival.expires)
      this.#next(at + 1)
    })
  }

  #isPresent(original: Snapshot): boolean {
    return this.source.instance.snapshots.get(original.name) === original && original.disk.held === 'whole'
  }

  #pass(ms: number, then: () => void): void {
    const goOn = (): void => {
      if (this.#over) return
      if (isListed(this.target)) then()
      else this.fail('Instance not found')
    }
    if (ms === 0) goOn()
    else this.target.server.options.clock.after(ms, goOn)
  }

  #finish(): void {
    const { instance } = this.target
    instance.disk = this.#head()
    instance.unfinished = false
    instance.mounted = false
    this.#end(null, null)
  }

  /** A snapshot that is sent alone, and goes meanwhile or has no data, arrives as nothing. */
  #head(): Disk {
    const { instance, alone } = this.source
    const isHere =
      alone === undefined ||
      (alone.instance.snapshots.get(alone.snapshot.name) === alone.snapshot &&
        alone.snapshot.disk.held === 'whole')
    return isHere ? { ...instance.disk } : { ...instance.disk, held: 'empty', marker: null }
  }

  /** Both operations fail; a new target is removed, an old one loses the records that were not yet filled. */
  fail(text: string): void {
    if (this.#over) return
    const { target } = this
    for (const { original, arrival } of this.#shipment.steps) {
      if (arrival.inMaking) target.instance.snapshots.delete(original.name)
    }
    if (target.isNew) forgetInstance(target)
    const onTarget = `Error transferring instance data: Failed migration on target: ${text}`
    this.#end(new Refusal(500, onTarget), new Refusal(500, `Failed migration on source: ${text}`))
  }

  /** One of the two daemons was killed. What it was writing stays as it was at that moment. */
  serverDied(server: EmbeddedIncus): void {
    if (server === this.target.server) this.#leaveHalfDone()
    else {
      // Nobody is left to thaw it.
      this.#thaw = () => {}
      this.fail(CUT_OFF)
    }
  }

  #leaveHalfDone(): void {
    const { instance, isNew } = this.target
    for (const { arrival } of this.#shipment.steps) arrival.inMaking = false
    const held = isOptimized(this.source, this.target) ? 'phantom' : 'empty'
    if (isNew) instance.disk = { ...instance.disk, held }
    this.#end(null, new Refusal(500, `Failed migration on source: ${CUT_OFF}`))
  }

  #end(targetError: Refusal | null, sourceError: Refusal | null): void {
    this.#over = true
    this.#tell()
    this.#current = null
    const { source, target } = this
    for (const { server } of [source, target]) server.transfers.delete(this)
    if (source.instance.busy === 'migrate') source.instance.busy = null
    this.#thaw()
    target.instance.busy = null
    target.server.operations.end(target.operation, targetError)
    source.server.operations.end(source.operation, sourceError)
    for (const later of this.#waiting) later.fail('A matching non-reusable operation has now succeeded')
  }
}

const isUneven = ({ snapshots }: Instance): boolean =>
  [...snapshots.values()].some(({ torn }) => torn === true)

/** False when it was deleted meanwhile, as a target can be whose lock was lifted. */
const isListed = (side: Sending | Receiving): boolean => {
  const instance = ('alone' in side ? side.alone?.instance : undefined) ?? side.instance
  return side.server.state.projects.get(instance.project)?.instances.get(instance.name) === instance
}

/** The record of an instance whose first copy came to nothing. */
export function forgetInstance(target: Receiving): void {
  const { server, instance } = target
  if (isListed(target)) server.state.projects.get(instance.project)?.instances.delete(instance.name)
}
