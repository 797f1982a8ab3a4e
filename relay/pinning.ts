/**
 * Connects to a server whose certificate is known by its fingerprint. Incus signs its own and names
 * only the host in it, so neither authority nor name is checked; the pin is what counts, and it is
 * checked before a byte of a request is written.
 */
import { createHash } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import { buildConnector } from 'undici'
import { CertificateMismatch } from './errors.ts'

/** PEM texts. */
export type ClientCertificate = { certificate: string; key: string }

const CONNECT_TIMEOUT = 10_000

/** `fingerprints`: sha256 of the DER, lower-case hex; a server may show any of them. */
export function createPinnedConnector(
  client: ClientCertificate,
  fingerprints: readonly string[],
): buildConnector.connector {
  const connect = buildConnector({
    cert: client.certificate,
    key: client.key,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    allowH2: false,
    // A resumed session shows no certificate to compare.
    maxCachedSessions: 0,
    timeout: CONNECT_TIMEOUT,
  })
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error !== null) return callback(error, null)
      const seen = fingerprintOf(socket)
      if (fingerprints.includes(seen)) return callback(null, socket)
      socket.destroy()
      callback(new CertificateMismatch(seen), null)
    })
}

function fingerprintOf(socket: unknown): string {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  return certificate === undefined ? 'none' : createHash('sha256').update(certificate.raw).digest('hex')
}
