/** Self-signed EC P-256 certificates for ten years: a client's as `incus remote add` makes them, a server's as the daemon does. */
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import type { ClientCertificate } from '../contract/server.ts'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const TEN_YEARS = 10 * 365 * 86_400_000

const CLIENT_ONLY = [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])]

/** Alternative names: the host's, 127.0.0.1 and ::1, and no other address. */
const serverOnly = (name: string) => [
  new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
  new SubjectAlternativeNameExtension([
    { type: 'dns', value: name },
    { type: 'ip', value: '127.0.0.1' },
    { type: 'ip', value: '::1' },
  ]),
]

/** Both PEM. The name is for people: Incus knows a certificate by its fingerprint; a server's is a host name. */
export async function createCertificate(
  name: string,
  use: 'client' | 'server' = 'client',
): Promise<ClientCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    // An hour ago: the other side's clock may be behind.
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + TEN_YEARS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: use === 'client' ? CLIENT_ONLY : serverOnly(name),
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const lines = key.match(/.{1,64}/g) ?? []
  return {
    cert: `${certificate.toString('pem')}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`,
  }
}
