/** Self-signed EC P-256 certificates for ten years: a client's as `incus remote add` makes it. */
import 'reflect-metadata'
import { KeyObject, webcrypto } from 'node:crypto'
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import type { ClientCertificate } from '../../relay/pinning.ts'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const TEN_YEARS = 10 * 365 * 86_400_000

/** The name is for people: Incus knows a certificate by its fingerprint. */
export const createClientCertificate = (name: string): Promise<ClientCertificate> =>
  createCertificate(name, [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])])

export async function createCertificate(name: string, extensions: Extension[]): Promise<ClientCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    // An hour ago: the other side's clock may be behind.
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + TEN_YEARS),
    signingAlgorithm: ALGORITHM,
    ...{ keys, extensions },
  })
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: String(KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' })),
  }
}
