/** One server dials the other's operation; its secrets are the credential, the PEM the only check of TLS. */
import { record, section, text } from './body.ts'
import type { VolumeReceiving, VolumeSending } from './custom-transfer.ts'
import { Refusal } from './envelope.ts'
import type { Operation } from './operations.ts'
import type { EmbeddedIncus } from './server.ts'
import type { Instance, Snapshot } from './state.ts'

const WINDOW_MS = 30_000

type Secrets = { control: string; fs: string }

export type Sending = {
  server: EmbeddedIncus
  operation: Operation
  instance: Instance
  /** Of a snapshot that is sent alone: `instance` stands for it, and this is where it is from. */
  alone?: { instance: Instance; snapshot: Snapshot }
  instanceOnly: boolean
  /** It need not stand still. */
  allowInconsistent: boolean
}

export type Receiving = {
  server: EmbeddedIncus
  operation: Operation
  instance: Instance
  isNew: boolean
  excludeOlder: boolean
  instanceOnly: boolean
}

/** An operation that waits to be dialled. */
export type Migration = { secrets: Secrets; side: Side; stopWaiting: () => void; missed: () => void }

type Side = Sending | Receiving | VolumeSending | VolumeReceiving

export const newSecrets = (server: EmbeddedIncus): Secrets => ({
  control: server.hex(64),
  fs: server.hex(64),
})

/** Waits 30 s for the other server. */
export function expectDial(side: Side, secrets: Secrets, missed: () => void): void {
  const { server, operation } = side
  const off = server.after(WINDOW_MS, () => {
    server.migrations.delete(operation.id)
    missed()
  })
  const stopWaiting = (): void => {
    off()
    server.migrations.delete(operation.id)
  }
  server.migrations.set(operation.id, { secrets, side, stopWaiting, missed })
}

/** Where to dial, as it stands in a request. */
export type Peer = { operation: string; certificate: string; secrets: Secrets }

/** `part` names the side for the text of a missing secret. */
export function parsePeer(value: unknown, secretsKey: string, part: string): Peer {
  const body = record(value)
  const secrets = section(body, secretsKey)
  for (const key of ['control', 'fs'])
    if (!secrets[key])
      throw new Refusal(500, `Expected "${key}" connection secret missing from ${part} target request`)
  return {
    operation: text(body, 'operation'),
    certificate: text(body, 'certificate'),
    secrets: { control: text(secrets, 'control'), fs: text(secrets, 'fs') },
  }
}

/** The side that waits there, taken out of the waiting; refuses with the text of the failed connection. */
export function dial(from: EmbeddedIncus, peer: Peer): Side {
  const url = URL.canParse(peer.operation) ? new URL(peer.operation) : null
  const address = url?.host ?? peer.operation
  const server = from.options.network.find(address)
  if (server === null)
    throw new Refusal(
      500,
      `Unable to connect to: ${address} ([dial tcp ${address}: connect: connection refused])`,
    )
  if (server.options.certificate.pem.trim() !== peer.certificate.trim())
    throw new Refusal(500, 'tls: failed to verify certificate: x509: certificate signed by unknown authority')
  const waiting = server.migrations.get(url?.pathname.split('/').at(-1) ?? '')
  const { control, fs } = peer.secrets
  if (waiting === undefined || waiting.secrets.control !== control || waiting.secrets.fs !== fs)
    throw new Refusal(500, 'websocket: bad handshake')
  waiting.stopWaiting()
  return waiting.side
}
