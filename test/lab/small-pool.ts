/** A dir pool on a lab server with room for so many bytes, which a scene fills. */
import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LabServer } from './server.ts'

export type SmallPool = {
  /** As if somebody else's data took all the room. */
  fill(): Promise<void>
  empty(): Promise<void>
}

/** `dir`: of the pair, which removes it with all else. */
export async function addSmallPool(
  { name: side, run }: LabServer,
  { dir, name, bytes }: { dir: string; name: string; bytes: number },
): Promise<SmallPool> {
  // Not within the server's own directory: Incus takes no pool there.
  const place = join(dir, `${side}-${name}`)
  await mkdir(place, { mode: 0o711 })
  await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=711`, 'tmpfs', place])
  const source = join(place, 'pool')
  await mkdir(source, { mode: 0o711 })
  await run('POST', '/1.0/storage-pools', { name, driver: 'dir', config: { source } })
  const filler = join(place, 'filler')
  return {
    async fill() {
      try {
        await writeFile(filler, Buffer.alloc(bytes))
      } catch (error) {
        // What fitted stays.
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      }
    },
    empty: () => rm(filler, { force: true }),
  }
}
