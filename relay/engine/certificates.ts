/**
 * The servers' certificates, which the other side of a copy needs. They are cached for a while: a remote may
 * have several pins.
 */
import type { Clock } from '../../shared/clock.ts'
import { request } from '../../shared/incus/routes.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { badReply, call, untrusted } from './call.ts'
import { isObject, text } from './envelope.ts'
import type { Upstream } from './upstream.ts'

export type Certificates = (remote: string) => Promise<Result<string, CallError>>

const REMEMBERED = 600_000
/** Characters of a certificate as PEM, with a chain. */
const LONGEST = 65_536

export function createCertificates(upstream: Upstream, clock: Clock): Certificates {
  const known = new Map<string, { pem: string; at: number }>()
  return async (remote) => {
    const remembered = known.get(remote)
    if (remembered !== undefined && clock.now() - remembered.at < REMEMBERED) return ok(remembered.pem)
    const read = await readCertificate(upstream, remote)
    if (read.ok) known.set(remote, { pem: read.value, at: clock.now() })
    return read
  }
}

async function readCertificate(upstream: Upstream, remote: string): Promise<Result<string, CallError>> {
  const answer = await call(upstream, remote, request('getServer'))
  if (!answer.ok) return answer
  const server = answer.value.envelope.metadata
  if (!isObject(server)) return err(badReply(remote, answer.value.status, 'it names no server'))
  if (server.auth !== 'trusted') return err(untrusted(remote))
  const certificate = isObject(server.environment) ? text(server.environment.certificate) : ''
  return certificate === '' || certificate.length > LONGEST
    ? err(badReply(remote, answer.value.status, 'it has no certificate'))
    : ok(certificate)
}
