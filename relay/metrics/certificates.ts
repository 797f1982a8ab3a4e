/** When certificates end: the relay's own, and those that servers showed last. */
import { X509Certificate } from 'node:crypto'
import { type Family, gauge, secondsOf } from '../../shared/metrics/family.ts'

export type CertificateEnds = {
  /** A server showed it. */
  seen(remote: string, certificate: X509Certificate): void
  /** ISO 8601; null: it can't be read. */
  ends(): { client: string | null; remotes: ReadonlyMap<string, string | null> }
  family(): Family
}

export function createCertificateEnds(client: string): CertificateEnds {
  const servers = new Map<string, number>()
  const own = endOf(new X509Certificate(client))
  return {
    seen: (remote, certificate) => void servers.set(remote, endOf(certificate)),
    ends: () => ({
      client: dateOf(own),
      remotes: new Map([...servers].map(([remote, end]) => [remote, dateOf(end)])),
    }),
    family: () =>
      gauge(
        'stapes_relay_certificate_end_timestamp_seconds',
        'When the certificate ends: of the relay, or the one that the remote showed last.',
        [
          { labels: { certificate: 'client' }, value: own },
          ...[...servers].map(([remote, value]) => ({ labels: { certificate: 'server', remote }, value })),
        ],
      ),
  }
}

const dateOf = (seconds: number): string | null =>
  Number.isFinite(seconds) ? new Date(seconds * 1000).toISOString() : null

const endOf = ({ validTo }: X509Certificate): number => secondsOf(validTo)
