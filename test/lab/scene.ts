/** Setting the scene on a real server: instances, projects, profiles, and data written past the API. */

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ContractInstance, ContractServer } from '../contract/server.ts'
import { POOL, SHARED_PROFILES } from './layout.ts'
import type { Socket } from './socket.ts'
import { diskOf, MACHINE_SIZE, readDisk, writeDisk } from './vm/disk.ts'

type Scene = Pick<
  ContractServer,
  | 'createProject'
  | 'createInstance'
  | 'putProfile'
  | 'setProfiles'
  | 'setRunning'
  | 'attachVolume'
  | 'createVolume'
  | 'useVolume'
  | 'writeVolume'
  | 'readVolumeMarker'
  | 'write'
  | 'readMarker'
  | 'unmount'
  | 'throttle'
>

const inProject = ({ project = 'default' }: ContractInstance) => `project=${encodeURIComponent(project)}`
const instancePath = (it: ContractInstance) => `/1.0/instances/${encodeURIComponent(it.name)}`

/** Instances of other projects than `default` carry the project in their volume's name. */
const volume = ({ project = 'default', name }: ContractInstance) =>
  project === 'default' ? name : `${project}_${name}`

export function createScene(dir: string, run: Socket['run']): Scene {
  const pool = join(dir, 'storage-pools', POOL)
  const setRunning: Scene['setRunning'] = async (it, running) => {
    const body = { action: running ? 'start' : 'stop', force: !running, timeout: 30 }
    await run('PUT', `${instancePath(it)}/state?${inProject(it)}`, body)
  }
  return {
    setRunning,
    async createProject(name) {
      const there = (await run('GET', '/1.0/projects')) as string[]
      if (there.includes(`/1.0/projects/${encodeURIComponent(name)}`)) return
      await run('POST', '/1.0/projects', { name, config: SHARED_PROFILES })
    },
    async createInstance(it) {
      // Only the busybox image has something to run; the backup server has no images.
      const source = it.running === true ? { type: 'image', alias: 'busybox' } : { type: 'none' }
      const type = it.type ?? 'container'
      const disk = { type: 'disk', path: '/', pool: POOL, size: MACHINE_SIZE }
      const devices = type === 'container' ? {} : { root: disk }
      const body = { name: it.name, type, source, config: it.config ?? {}, devices }
      await run('POST', `/1.0/instances?${inProject(it)}`, body)
      if (it.running === true) await setRunning(it, true)
    },
    async putProfile(name, config) {
      const there = (await run('GET', '/1.0/profiles')) as string[]
      if (there.includes(`/1.0/profiles/${name}`)) await run('PUT', `/1.0/profiles/${name}`, { config })
      else await run('POST', '/1.0/profiles', { name, config })
    },
    async setProfiles(it, profiles) {
      await run('PATCH', `${instancePath(it)}?${inProject(it)}`, { profiles })
    },
    async attachVolume(it, volume) {
      const path = `${instancePath(it)}?${inProject(it)}`
      await run('POST', `/1.0/storage-pools/${POOL}/volumes/custom`, { name: volume })
      const device = { type: 'disk', pool: POOL, source: volume, path: `/${volume}` }
      await run('PATCH', path, { devices: { [volume]: device } })
      return async () => {
        const { devices, ...rest } = (await run('GET', path)) as { devices: Record<string, unknown> }
        const { [volume]: _, ...others } = devices
        await run('PUT', path, { ...rest, devices: others })
        await run('DELETE', `/1.0/storage-pools/${POOL}/volumes/custom/${volume}`)
      }
    },
    async write(it, marker, bytes) {
      const disk = diskOf(join(pool, 'virtual-machines', volume(it)))
      if (existsSync(disk)) return writeDisk(disk, marker, bytes)
      const root = join(pool, 'containers', volume(it), 'rootfs')
      await mkdir(root, { recursive: true })
      await writeFile(join(root, 'marker'), marker)
      await writeFile(join(root, 'bulk'), randomBytes(bytes))
    },
    async readMarker(it, snapshot) {
      const place = (kind: string): string =>
        snapshot === undefined
          ? join(pool, kind, volume(it))
          : join(pool, `${kind}-snapshots`, volume(it), snapshot)
      const disk = diskOf(place('virtual-machines'))
      if (existsSync(disk)) return readDisk(disk)
      const folder = place('containers')
      return readFile(join(folder, 'rootfs', 'marker'), 'utf8').catch(() => null)
    },
    async createVolume(volume) {
      await run('POST', `/1.0/storage-pools/${POOL}/volumes/custom`, { name: volume })
    },
    async useVolume(it, volume) {
      const device = { type: 'disk', pool: POOL, source: volume, path: `/${volume}` }
      await run('PATCH', `${instancePath(it)}?${inProject(it)}`, { devices: { [volume]: device } })
    },
    async writeVolume(volume, marker, bytes) {
      const folder = join(pool, 'custom', `default_${volume}`)
      await writeFile(join(folder, 'marker'), marker)
      await writeFile(join(folder, 'bulk'), randomBytes(bytes))
    },
    async readVolumeMarker(volume, snapshot) {
      const own = `default_${volume}`
      const folder = snapshot === undefined ? join('custom', own) : join('custom-snapshots', own, snapshot)
      return readFile(join(pool, folder, 'marker'), 'utf8').catch(() => null)
    },
    unmount: async (it) => {
      await promisify(execFile)('umount', [join(pool, 'containers', volume(it))])
    },
    async throttle(bytesPerSecond) {
      const limit = bytesPerSecond === null ? '' : `${Math.ceil(bytesPerSecond / 1024)}KiB`
      await run('PATCH', `/1.0/storage-pools/${POOL}`, { config: { 'rsync.bwlimit': limit } })
    },
  }
}
