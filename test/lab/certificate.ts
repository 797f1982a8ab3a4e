/** Certificates as Incus has them: a client's as the product makes it, a server's as the daemon does. */
import 'reflect-metadata'
import { ExtendedKeyUsage, ExtendedKeyUsageExtension, SubjectAlternativeNameExtension } from '@peculiar/x509'
import { createClientCertificate, createCertificate as selfSigned } from '../../scripts/trust/certificate.ts'
import type { ClientCertificate } from '../contract/server.ts'

/** Alternative names: the host's, 127.0.0.1 and ::1, and no other address. */
const serverOnly = (name: string) => [
  new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
  new SubjectAlternativeNameExtension([
    { type: 'dns', value: name },
    { type: 'ip', value: '127.0.0.1' },
    { type: 'ip', value: '::1' },
  ]),
]

/** Both PEM. A server's name is a host name. */
export async function createCertificate(
  name: string,
  use: 'client' | 'server' = 'client',
): Promise<ClientCertificate> {
  const made = use === 'client' ? createClientCertificate(name) : selfSigned(name, serverOnly(name))
  const { certificate: cert, key } = await made
  return { cert, key }
}
