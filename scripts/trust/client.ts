/** The relay's client certificate, made where there is none. */
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { exposureOf } from '../../relay/exposure.ts'
import type { ClientCertificate } from '../../relay/pinning.ts'
import { fail } from '../fail.ts'
import { createClientCertificate } from './certificate.ts'
import { keepPrivate, writePrivate } from './private-file.ts'
import type { RelayFile } from './relay-file.ts'

export async function clientCertificate(file: RelayFile): Promise<ClientCertificate> {
  const there = readClient(file)
  if (there !== null) return there
  const { certificate, key } = file.client
  const made = await createClientCertificate('stapes relay')
  writePrivate(certificate, made.certificate)
  writePrivate(key, made.key)
  return made
}

/** Null where there is none yet; ends the process where half of it is missing. */
export function readClient({ client: { certificate, key } }: RelayFile): ClientCertificate | null {
  if (certificate.startsWith('-----BEGIN') && key.startsWith('-----BEGIN')) return { certificate, key }
  const there = [certificate, key].filter((path) => existsSync(path))
  if (there.length === 0) return null
  if (there.length === 1)
    return fail([
      `there is only ${there[0]} of ${certificate} and ${key}: restore the other, or remove this one`,
    ])
  // The certificate is public.
  if (keepPrivate(key)) sayNarrowed(key)
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
}

/** As Incus knows it. */
export const fingerprintOf = (pem: string): string =>
  new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()

/** Or not narrowed, where it is another user's. */
export function sayNarrowed(path: string): void {
  const still = exposureOf(path)
  console.error(
    still === null
      ? `other users of this machine could read ${path}: its mode is 600 now. If there are other users, replace the secrets in it`
      : still,
  )
}
