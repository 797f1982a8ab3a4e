/** Two embedded servers on a virtual clock, asked in process. */
import { paperCertificate } from '../../emulator/certificate.ts'
import type { Envelope } from '../../emulator/envelope.ts'
import type { Version } from '../../emulator/faces.ts'
import { Network } from '../../emulator/network.ts'
import { EmbeddedIncus, type EmbeddedRequest } from '../../emulator/server.ts'
import { seededRandom } from '../../simulation/random.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

type Answer = { status: number; body: Envelope }

/** An operation's id and how it ended. */
type Ended = { id: string; status: string; err: string }

export class VirtualPair {
  readonly clock: VirtualClock
  readonly main: EmbeddedIncus
  readonly backup: EmbeddedIncus

  constructor(start = '2026-11-22T00:00:00Z', version: Version = '6.0.4') {
    this.clock = new VirtualClock(new Date(start))
    const common = { clock: this.clock, network: new Network(), random: seededRandom(1) }
    const make = (name: string, driver: 'btrfs' | 'dir'): EmbeddedIncus =>
      new EmbeddedIncus({
        ...{ ...common, name, driver, version, address: `${name}.test:8443` },
        certificate: paperCertificate(name),
      })
    this.main = make('main', 'btrfs')
    this.backup = make('backup', 'dir')
  }

  async ask(
    incus: EmbeddedIncus,
    method: string,
    path: string,
    more: Partial<EmbeddedRequest> = {},
  ): Promise<Answer> {
    const { status, body } = await incus.handle({ method, path, ...more })
    return { status, body: body as Envelope }
  }

  /** Asks for something asynchronous, waits for its end and reads it. */
  async run(incus: EmbeddedIncus, method: string, path: string, body?: unknown): Promise<Ended> {
    const started = await this.ask(incus, method, path, body === undefined ? {} : { body })
    if (started.status !== 202) throw new Error(`${started.status} ${started.body.error}`)
    return this.end(incus, idOf(started))
  }

  async end(incus: EmbeddedIncus, id: string): Promise<Ended> {
    await this.clock.settle(this.ask(incus, 'GET', `/1.0/operations/${id}/wait`))
    return (await this.ask(incus, 'GET', `/1.0/operations/${id}`)).body.metadata as Ended
  }

  /** Starts a pull from main to backup; answers with the ids of both operations. */
  async startPull(
    name: string,
    source: Record<string, unknown> = {},
  ): Promise<{ source: string; target: string }> {
    const offer = await this.ask(this.main, 'POST', `/1.0/instances/${name}`, { body: { migration: true } })
    const operation = offer.body.metadata as { id: string; metadata: unknown }
    const peer = {
      ...{ type: 'migration', mode: 'pull', secrets: operation.metadata },
      operation: `https://main.test:8443/1.0/operations/${operation.id}`,
      certificate: this.main.options.certificate.pem,
    }
    const body = { name, type: 'container', architecture: 'x86_64', source: { ...peer, ...source } }
    const receiving = await this.ask(this.backup, 'POST', '/1.0/instances', { body })
    if (receiving.status !== 202) throw new Error(receiving.body.error)
    return { source: operation.id, target: idOf(receiving) }
  }

  async pull(name: string, source: Record<string, unknown> = {}): Promise<Ended> {
    const { target } = await this.startPull(name, source)
    return this.end(this.backup, target)
  }

  async takeSnapshot(incus: EmbeddedIncus, instance: string, name: string): Promise<void> {
    const ended = await this.run(incus, 'POST', `/1.0/instances/${instance}/snapshots`, { name })
    if (ended.status !== 'Success') throw new Error(ended.err)
  }

  elapse(seconds: number): Promise<void> {
    return this.clock.advance(this.clock.now() + seconds * 1000)
  }
}

export const idOf = ({ body }: Answer): string => (body.metadata as { id: string }).id
