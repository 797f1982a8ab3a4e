/** The certificate that is to replace the relay's: `client-2.crt` beside `client.crt`, then `client-3.crt`, … */
import { chownSync, existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { ClientCertificate } from '../../relay/pinning.ts'
import { createClientCertificate } from './certificate.ts'
import { writePrivate } from './private-file.ts'
import type { RelayFile } from './relay-file.ts'

type Paths = { certificate: string; key: string }

/** Where it lies; as in relay.jsonc, so relative to that. */
export function nextPaths({ path, client: { certificate } }: RelayFile): Paths & { names: Paths } {
  const isText = certificate.startsWith('-----BEGIN')
  const name = isText ? 'client.crt' : basename(certificate)
  const folder = isText ? '.' : relative(resolve(dirname(path)), dirname(certificate))
  const [, stem = 'client', number = '1'] = /^(.*?)(?:-(\d+))?\.\w+$/.exec(name) ?? []
  const next = `${stem}-${Number(number) + 1}`
  const names = { certificate: join(folder, `${next}.crt`), key: join(folder, `${next}.key`) }
  const place = (file: string) => join(dirname(path), file)
  return { certificate: place(names.certificate), key: place(names.key), names }
}

/** Null where none was made, or only a part of it. */
export function nextCertificate(file: RelayFile): ClientCertificate | null {
  const { certificate, key } = nextPaths(file)
  if (!existsSync(certificate) || !existsSync(key)) return null
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
}

/** The key first: a certificate that is there has its key. The files belong to whom relay.jsonc belongs. */
export async function makeNextCertificate(file: RelayFile): Promise<ClientCertificate> {
  const made = await createClientCertificate('stapes relay')
  const { certificate, key } = nextPaths(file)
  const { uid, gid } = statSync(file.path)
  for (const [path, text] of [
    [key, made.key],
    [certificate, made.certificate],
  ] as const) {
    writePrivate(path, text)
    if (process.getuid?.() === 0) chownSync(path, uid, gid)
  }
  return made
}
