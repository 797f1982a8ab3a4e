/** Certificates as the other side knows them. */
import { createHash, X509Certificate } from 'node:crypto'

/** PEM, and the sha256 of the DER in hex: what a server is pinned by and a client trusted by. */
export type Certificate = { pem: string; fingerprint: string }

export const fingerprintOf = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex')

export const readCertificate = (pem: string): Certificate => ({
  pem,
  fingerprint: fingerprintOf(new X509Certificate(pem).raw),
})

/** For servers without a network: known by a name, good for no TLS. */
export function paperCertificate(name: string): Certificate {
  const der = Buffer.from(`certificate of ${name}`)
  const pem = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`
  return { pem, fingerprint: fingerprintOf(der) }
}
