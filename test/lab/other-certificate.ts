/** A lab server comes up with another certificate under its own address, as after a reinstallation. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createCertificate } from './certificate.ts'
import type { LabServer } from './server.ts'

/** What is returned puts the old one back. */
export async function replaceCertificate(server: LabServer): Promise<() => Promise<void>> {
  const read = (name: string): Promise<string> => readFile(join(server.dir, name), 'utf8')
  const before = { cert: await read('server.crt'), key: await read('server.key') }
  const restartWith = async ({ cert, key }: typeof before): Promise<void> => {
    await server.kill()
    await writeFile(join(server.dir, 'server.crt'), cert)
    await writeFile(join(server.dir, 'server.key'), key)
    await server.start()
  }
  await restartWith(await createCertificate(server.name, 'server'))
  return () => restartWith(before)
}
