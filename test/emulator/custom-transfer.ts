/** The transfer of a custom volume, once both sides are connected: snapshots, oldest first, then the head. No lock holds. */
import { Refusal } from './envelope.ts'
import { mirror } from './mirror.ts'
import type { Operation } from './operations.ts'
import type { EmbeddedIncus } from './server.ts'
import { type Custom, type CustomSnapshot, type Disk, findPool } from './state.ts'

export type VolumeSending = {
  server: EmbeddedIncus
  operation: Operation
  volume: Custom
  volumeOnly: boolean
}

export type VolumeReceiving = VolumeSending & { isNew: boolean; excludeOlder: boolean }

/** `arrival` is the target's record, without data until it is its turn. */
type Step = { original: CustomSnapshot; arrival: CustomSnapshot; bytes: number }

const CUT_OFF = 'websocket: close 1006 (abnormal closure): unexpected EOF'

const secondOf = (one: CustomSnapshot) => ({
  one,
  name: one.name,
  second: Math.floor(Date.parse(one.createdAt) / 1000),
})

export class VolumeTransfer {
  readonly source: VolumeSending
  readonly target: VolumeReceiving
  #steps: Step[] = []
  #over = false
  #tell = (): void => {}
  /** Resolves with its end. */
  readonly ended: Promise<void> = new Promise((resolve) => {
    this.#tell = resolve
  })
  /** Called with the bytes of each part that has arrived. */
  onPart: (bytes: number) => void = () => {}
  #progress: string | null = null

  constructor(source: VolumeSending, target: VolumeReceiving) {
    this.source = source
    this.target = target
  }

  /** Mirror deletions happen here and stay; the records of what will be sent appear. */
  begin(): void {
    const { source, target } = this
    for (const { server } of [source, target]) server.volumeTransfers.add(this)
    const offered = source.volumeOnly
      ? []
      : [...source.volume.snapshots.values()].filter(({ inMaking }) => !inMaking).map(secondOf)
    offered.sort((a, b) => a.second - b.second)
    const { snapshots } = target.volume
    const present = new Map([...snapshots.values()].map((one) => [one.name, secondOf(one)]))
    const { remove, send, base } = mirror(offered, present, target.excludeOlder)
    for (const { name } of source.volumeOnly || !target.volumeOnly ? remove : []) snapshots.delete(name)
    let previous: Disk | null = base?.one.disk ?? null
    this.#steps = (target.volumeOnly ? [] : send).map(({ one: original }) => {
      const disk: Disk = { ...original.disk, held: 'phantom' }
      const arrival = { ...original, config: { ...original.config }, disk, inMaking: true }
      const bytes = previous?.content === original.disk.content ? 0 : original.disk.bytes
      previous = original.disk
      snapshots.set(original.name, arrival)
      return { original, arrival, bytes }
    })
    this.#next(0, previous)
  }

  progress(): Record<string, string> | null {
    return this.#progress === null ? null : { fs_progress: this.#progress }
  }

  #next(at: number, last: Disk | null): void {
    const step = this.#steps[at]
    const { volume, server } = this.source
    const bytes = step?.bytes ?? (last?.content === volume.disk.content ? 0 : volume.disk.bytes)
    const { bandwidth } = server
    const name = `${volume.project}_${volume.name}${step === undefined ? '' : `/${step.original.name}`}`
    this.#progress = bandwidth === null ? null : `${name}: 0.00MB (${(bandwidth / 1e6).toFixed(2)}MB/s)`
    const ms = bandwidth === null ? 0 : (bytes / bandwidth) * 1000
    const { full } = findPool(this.target.server.state, this.target.volume.pool)
    if (full && (bytes > 0 || step !== undefined)) this.fail('write: No space left on device')
    else if (step === undefined)
      this.#pass(ms + server.copyMs, () => {
        this.onPart(bytes)
        this.#finish()
      })
    else this.#pass(ms, () => this.#arrive(step, at, last))
  }

  /** A snapshot that goes before its turn arrives as an empty one, and nobody says so. */
  #arrive({ original, arrival, bytes }: Step, at: number, last: Disk | null): void {
    const isThere =
      this.source.volume.snapshots.get(original.name) === original && original.disk.held === 'whole'
    arrival.disk = isThere ? { ...original.disk } : { ...original.disk, held: 'empty', marker: null }
    arrival.inMaking = false
    this.onPart(bytes)
    this.target.server.scheduler.expects(arrival.expires)
    this.#next(at + 1, last)
  }

  #pass(ms: number, then: () => void): void {
    const goOn = (): void => {
      if (this.#over) return
      if (isListed(this.target)) then()
      else this.fail('Rsync receive failed: [exit status 23]')
    }
    if (ms === 0) goOn()
    else this.target.server.options.clock.after(ms, goOn)
  }

  #finish(): void {
    this.target.volume.disk = { ...this.source.volume.disk }
    this.#end(null, null)
  }

  /** A new target is removed. An old one loses the records that were not yet filled, unless the source was cancelled. */
  fail(text: string, { keepsRecords = false }: { keepsRecords?: boolean } = {}): void {
    if (this.#over) return
    const { volume, isNew, server } = this.target
    for (const { original, arrival } of this.#steps) {
      if (arrival.inMaking && !keepsRecords) volume.snapshots.delete(original.name)
      arrival.inMaking = false
    }
    if (isNew && isListed(this.target)) forgetVolume(server, volume)
    this.#end(new Refusal(500, `Error transferring storage volume: ${text}`), new Refusal(500, text))
  }

  /** One of the two daemons was killed. What it was writing stays as it was at that moment. */
  serverDied(server: EmbeddedIncus): void {
    if (server === this.target.server) this.#leaveHalfDone()
    else this.fail(`Got error reading migration source: ${CUT_OFF}`)
  }

  #leaveHalfDone(): void {
    for (const { arrival } of this.#steps) arrival.inMaking = false
    if (this.target.isNew) this.target.volume.disk = { ...this.target.volume.disk, held: 'empty' }
    this.#end(null, new Refusal(500, CUT_OFF))
  }

  #end(targetError: Refusal | null, sourceError: Refusal | null): void {
    this.#over = true
    this.#tell()
    this.#progress = null
    const { source, target } = this
    for (const { server } of [source, target]) server.volumeTransfers.delete(this)
    target.server.operations.end(target.operation, targetError)
    source.server.operations.end(source.operation, sourceError)
  }
}

const isListed = ({ server, volume }: VolumeReceiving): boolean =>
  findPool(server.state, volume.pool).volumes.get(`${volume.project}/${volume.name}`) === volume

export const forgetVolume = ({ state }: EmbeddedIncus, { pool, project, name }: Custom): boolean =>
  findPool(state, pool).volumes.delete(`${project}/${name}`)
