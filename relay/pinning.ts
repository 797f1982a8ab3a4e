/**
 * Connects to a server whose certificate is known by its fingerprint. Incus signs its own and names
 * only the host in it, so neither authority nor name is checked; the pin is what counts, and it is
 * checked before a byte of a request is written.
 */
import { createHash, type X509Certificate } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import { buildConnector } from 'undici'
import { CertificateMismatch } from './errors.ts'

/** PEM texts. */
export type ClientCertificate = { certificate: string; key: string }

const CONNECT_TIMEOUT = 10_000

/** `client` null: nothing is shown to the server. `fingerprints`: sha256 of the DER, lower-case hex; a server may show any of them. */
export function createPinnedConnector(
  client: ClientCertificate | null,
  fingerprints: readonly string[],
  /** Called with each certificate that is one of them. */
  onSeen: (certificate: X509Certificate) => void = () => {},
): buildConnector.connector {
  const connect = buildConnector({
    ...(client === null ? {} : { cert: client.certificate, key: client.key }),
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
      const certificate = certificateOf(socket)
      const seen = certificate === undefined ? 'none' : fingerprintOf(certificate)
      if (certificate !== undefined && fingerprints.includes(seen)) {
        onSeen(certificate)
        return callback(null, socket)
      }
      socket.destroy()
      callback(new CertificateMismatch(seen), null)
    })
}

const certificateOf = (socket: unknown): X509Certificate | undefined =>
  socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined

const fingerprintOf = ({ raw }: X509Certificate): string => createHash('sha256').update(raw).digest('hex')
