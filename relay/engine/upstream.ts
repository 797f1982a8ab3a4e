/** The engine's interface to Incus, so that a simulation can replace the sockets. */
import type { Duplex } from 'node:stream'
import type { IncusRequest } from '../../shared/incus/routes.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import type { Result } from '../../shared/result.ts'
import type { Bridge } from './bridge.ts'
import type { Fetch } from './exports.ts'

/**
 * What came back, of whatever HTTP status; `body` is the parsed JSON. `address`: under which the other
 * servers reach the one that answered, where that isn't always the remote's own. `date`: the server's own
 * time when it answered (milliseconds since the epoch, cut to the second), where it says so. `etag` as it
 * came, in quotes.
 */
export type Reply =
  | { ok: true; status: number; body: unknown; address?: string; date?: number; etag?: string }
  | { ok: false; error: CallError }

/** What Incus makes of a file that is sent to it; `name`: of the new instance. Never rejects. */
export type Upload = (
  remote: string,
  request: IncusRequest,
  sent: { name: string; pool: string | null; bytes: AsyncIterable<Uint8Array> },
) => Promise<Reply>

/** A connection that a request has turned into one of SFTP. Never rejects, but may break at any time. */
export type Connect = (remote: string, request: IncusRequest) => Promise<Result<Duplex, CallError>>

export type Upstream = {
  /** `timeout` in milliseconds covers everything, from connecting to the last byte. Never rejects. */
  request(remote: string, request: IncusRequest, options: { timeout: number }): Promise<Reply>
  /** A file, from that byte on; absent: it sends none. Never rejects, but its bytes may end with an error. */
  fetch?: Fetch
  /** Absent: it takes none. */
  upload?: Upload
  /** Absent: it can't stand between two servers. */
  bridge?: Bridge
  /** Absent: it gives no connection. */
  connect?: Connect
}

export type EngineRemote = {
  /** The URL under which the other servers reach this one, without a trailing slash. */
  address: string
  /** How many copies may run onto it at once. */
  copies?: number
  /** What it is used for; absent: `source`. Only a target receives copies, and loses them. */
  role?: 'source' | 'target' | 'both'
  /** How long a verified snapshot stays there at least, in seconds; absent: 0. */
  minRetention?: number
  /** False: nothing is restored there, neither in place nor as a new instance. */
  restores?: boolean
  /** True: whoever calls may read what the snapshots there hold. */
  files?: boolean
  /** Remotes whose snapshots may become new instances there, in any project. */
  receives?: string[]
}
