/** Relay mode, without sockets: a client that stands between two servers, which can't reach each other. */
import { VolumeTransfer } from './custom-transfer.ts'
import { Refusal } from './envelope.ts'
import type { Migration } from './migration.ts'
import type { EmbeddedIncus } from './server.ts'
import { CUT_OFF, Transfer } from './transfer.ts'

export type Waiting = { server: EmbeddedIncus; operation: string; secrets: Readonly<Record<string, string>> }

/** Both sides' operations must wait for it; refuses with the text of a failed connection. */
export function joinMigrations(source: Waiting, target: Waiting): Transfer | VolumeTransfer {
  const [from, to] = [waitingOf(source), waitingOf(target)]
  const transfer = transferOf(from.side, to.side)
  if (transfer === null) throw new Refusal(500, 'websocket: bad handshake')
  for (const one of [from, to]) one.stopWaiting()
  return transfer
}

function transferOf(from: Migration['side'], to: Migration['side']): Transfer | VolumeTransfer | null {
  if ('isNew' in from || !('isNew' in to)) return null
  if ('volume' in from) return 'volume' in to ? new VolumeTransfer(from, to) : null
  return 'volume' in to ? null : new Transfer(from, to)
}

export function waitingOf({ server, operation, secrets }: Waiting): Migration {
  const waiting = server.phase === 'up' ? server.migrations.get(operation) : undefined
  const { control, fs } = waiting?.secrets ?? {}
  if (waiting === undefined || control !== secrets.control || fs !== secrets.fs)
    throw new Refusal(500, 'websocket: bad handshake')
  return waiting
}

/** What stands between is gone. */
export const cutOff = (transfer: Transfer | VolumeTransfer): void => transfer.fail(CUT_OFF)
