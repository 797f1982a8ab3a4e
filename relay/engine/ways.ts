/**
 * Whether one server reaches another: it is asked to send a snapshot to an operation that there isn't. Incus connects first, and reads the snapshot only when that
 * has succeeded, which it can't: the other one knows no such operation, and refuses. So nothing is sent, and nothing is made (6.0.4, 7.0.2).
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { request } from '../../shared/incus/routes.ts'
import { own } from '../../shared/own.ts'
import type { Way, WayExam } from '../../shared/relay/exam.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { type CallIo, runCalls, unknownRemote } from './call-list.ts'
import { where } from './steps/requests.ts'

/** Seconds. */
const WAIT = 20

export async function tryWay(way: Way, io: CallIo): Promise<WayExam> {
  const to = own(io.remotes, way.to)
  if (to === undefined) return { ...way, state: 'unknown', reason: unknownRemote(way.to, io.remotes).message }
  const { parameters, query } = where(way.from)
  const secret = (): string => randomBytes(32).toString('hex')
  const target = {
    operation: `${to.address}/1.0/operations/${randomUUID()}`,
    secrets: { control: secret(), fs: secret() },
    certificate: { $certificate: way.to },
  }
  const body = { name: way.snapshot, migration: true, live: false, target }
  const sending = request('sendSnapshot', { ...parameters, snapshot: way.snapshot }, query, body)
  const ran = await runCalls([{ ...sending, remote: way.from.remote, wait: WAIT }], io)
  return { ...way, ...(ran.ok ? { state: 'reached' } : judge(ran.error)) }
}

/** The other one answered, and it was the one whose certificate is pinned. */
const REFUSED = /websocket: bad handshake/
/** It begins with these where Incus came to connect at all. */
const CONNECTED = /migration control connection/

function judge({
  code,
  message,
}: CallError): { state: 'reached' } | { state: 'failed' | 'unknown'; reason: string } {
  if (REFUSED.test(message)) return { state: 'reached' }
  if (code === 'running') return { state: 'failed', reason: `it got no answer within ${WAIT} s` }
  return { state: code === 'incus' && CONNECTED.test(message) ? 'failed' : 'unknown', reason: message }
}
