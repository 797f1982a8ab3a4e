/** Exports on the embedded pair, on real 6.0, and on real 7.0 with its own server of S3. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { unpackTar } from 'modern-tar'
import { openEmbedded } from '../emulator/contract-pair.ts'
import { customOf } from '../emulator/custom.ts'
import { instanceOf } from '../emulator/scene.ts'
import { findPool } from '../emulator/state.ts'
import { freePort } from '../lab/free-port.ts'
import { INCUSD, NEWER } from '../lab/installed.ts'
import { type Pair, startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import type { LabServer } from '../lab/server.ts'
import { type ExportTheatre, exportsEndToEnd } from './exports.ts'
import { realTheatre } from './real-theatre.ts'

exportsEndToEnd('the embedded Incus', async () => {
  const pair = await openEmbedded()
  return {
    ...pair,
    restore: (it, snapshot) => pair.backup.readMarker(it, snapshot),
    takeBack: async (archive) => {
      const entries = await unpackTar(archive)
      const marker = entries.find(({ header }) => header.name.endsWith('/rootfs/marker'))
      return marker === undefined ? null : Buffer.from(marker.data ?? []).toString()
    },
    configOf: async (name) => instanceOf(pair.incus.main, { name }).config,
    remove: async (name) => {
      pair.incus.main.state.projects.get('default')?.instances.delete(name)
    },
    volumes: async () =>
      [...findPool(pair.incus.main.state, 'default').volumes.values()]
        .flatMap(({ name, backups }) => [name, ...backups.keys()])
        .sort(),
    volumeConfig: async (name) => customOf(pair.incus.main, { name }).config,
    left: async () =>
      [...(pair.incus.main.state.projects.get('default')?.instances.values() ?? [])].flatMap(
        ({ name, backups }) => [name, ...backups.keys()],
      ),
  }
})

for (const [version, incusd] of [
  ['6.0', INCUSD],
  ['7.0', NEWER],
] as const)
  onRealIncus(
    `exports, on ${version}`,
    () => exportsEndToEnd(`a real daemon of ${version}`, () => openReal(incusd)),
    [incusd],
  )

async function openReal(incusd: string): Promise<ExportTheatre> {
  const pair = await startPair({ daemons: { main: incusd, backup: incusd } })
  const bucket = incusd === NEWER ? await openBucket(pair) : null
  return {
    ...realTheatre(pair),
    async takeBack(archive) {
      const before = await namesOn(pair.backup)
      await pair.backup.run('POST', '/1.0/instances', archive)
      const name = (await namesOn(pair.backup)).find((one) => !before.includes(one)) ?? ''
      return pair.backup.readMarker({ name })
    },
    async takeBackOnMain(archive) {
      const { main } = pair
      const before = await namesOn(main)
      await main.run('POST', '/1.0/instances', archive)
      const path = `/1.0/instances/${(await namesOn(main)).find((one) => !before.includes(one)) ?? ''}`
      const { config } = (await main.run('GET', path)) as { config: Record<string, string> }
      return { config, remove: async () => void (await main.run('DELETE', path)) }
    },
    async configOf(name) {
      return ((await pair.main.run('GET', `/1.0/instances/${name}`)) as { config: Record<string, string> })
        .config
    },
    async remove(name) {
      await pair.main.run('DELETE', `/1.0/instances/${name}`)
    },
    async volumes() {
      const backups = join(pair.main.dir, 'backups/custom/default')
      const listed = (await pair.main.run('GET', VOLUMES)) as string[]
      // Up to 6.0.5 snapshots are listed among them.
      const own = listed.filter((path) => !path.includes('/snapshots/')).map(lastOf)
      return [...own, ...(existsSync(backups) ? readdirSync(backups) : [])].sort()
    },
    async volumeConfig(name) {
      return ((await pair.main.run('GET', `${VOLUMES}/${name}`)) as { config: Record<string, string> }).config
    },
    async left() {
      const backups = join(pair.main.dir, 'backups/instances')
      // What was sent for an import lies there while it comes.
      const sent = readdirSync(join(pair.main.dir, 'backups')).filter((one) => !FOLDERS.includes(one))
      return [...(await namesOn(pair.main)), ...(existsSync(backups) ? readdirSync(backups) : []), ...sent]
    },
    ...(bucket === null ? {} : { bucket }),
  }
}

const VOLUMES = '/1.0/storage-pools/default/volumes/custom'

const lastOf = (path: string): string => path.split('/').at(-1) ?? ''

const FOLDERS = ['custom', 'instances']

async function namesOn({ run }: LabServer): Promise<string[]> {
  const listed = (await run('GET', '/1.0/instances')) as string[]
  return listed.map(lastOf)
}

const curl = promisify(execFile)
const UNSIGNED = 'x-amz-content-sha256: UNSIGNED-PAYLOAD'

/** Read by curl, which signs by itself. */
async function openBucket({ backup }: Pair): Promise<NonNullable<ExportTheatre['bucket']>> {
  const port = await freePort()
  const buckets = '/1.0/storage-pools/default/buckets'
  await backup.run('PATCH', '/1.0', { config: { 'core.storage_buckets_address': `127.0.0.1:${port}` } })
  await backup.run('POST', buckets, { name: 'exports' })
  await backup.run('POST', `${buckets}/exports/keys`, { name: 'relay', role: 'admin' })
  const keys = (await backup.run('GET', `${buckets}/exports/keys?recursion=1`)) as Record<string, string>[]
  const { 'access-key': id = '', 'secret-key': secret = '' } = keys.find(({ name }) => name === 'relay') ?? {}
  const endpoint = `https://127.0.0.1:${port}`
  const ask = async (path: string): Promise<Uint8Array> => {
    const signing = ['--aws-sigv4', 'aws:amz:auto:s3', '--user', `${id}:${secret}`, '-H', UNSIGNED]
    const options = { encoding: 'buffer', maxBuffer: 50_000_000 } as const
    return (await curl('curl', ['-sSkf', ...signing, `${endpoint}/exports${path}`], options)).stdout
  }
  return {
    store: {
      ...{ type: 's3', endpoint, region: 'auto', bucket: 'exports', prefix: 'incus', recipients: [] },
      ...{ accessKeyId: id, secretAccessKey: secret, fingerprint: backup.fingerprint },
    },
    read: (key) => ask(`/${key}`),
    async keys() {
      const listed = Buffer.from(await ask('/?list-type=2')).toString()
      return [...listed.matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, key]) => key ?? '').sort()
    },
  }
}
