/** The machine as a disk and a kernel, in the cache: built when there is none of this recipe yet. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

export type Built = {
  folder: string
  /** Of the Incus daemons in it, the oldest first. */
  versions: string[]
  /** What its packages are, by name. */
  packages: Record<string, string>
}

const RECIPE = join(import.meta.dirname, 'machine')

export async function buildMachine(): Promise<Built> {
  const parts = await Promise.all(['build.sh', 'guest-init'].map((file) => readFile(join(RECIPE, file))))
  const recipe = createHash('sha256').update(Buffer.concat(parts)).digest('hex').slice(0, 12)
  const folder = join(cacheFolder(), `drivers-${recipe}`)
  if (!existsSync(folder)) {
    await mkdir(cacheFolder(), { recursive: true })
    const build = spawn('sh', [join(RECIPE, 'build.sh'), folder], { stdio: ['ignore', 'inherit', 'inherit'] })
    const [code] = await once(build, 'exit')
    if (code !== 0) throw new Error('the machine could not be built: see above')
  }
  const lines = async (file: string) => (await readFile(join(folder, file), 'utf8')).trim().split('\n')
  return {
    folder,
    versions: await lines('versions'),
    packages: Object.fromEntries(
      (await lines('packages')).map((line) => line.split(' ') as [string, string]),
    ),
  }
}

const cacheFolder = (): string => {
  const { STAPES_CACHE, XDG_CACHE_HOME } = process.env
  return STAPES_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'stapes')
}
