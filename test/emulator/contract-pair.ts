/** The embedded pair as the suites take any pair: with hands to set the scene, and to break it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ContractPair, ContractServer } from '../contract/server.ts'
import { createCertificate } from '../lab/certificate.ts'
import { addBucket, readObjects } from './buckets.ts'
import { addCustom } from './custom.ts'
import { type EmbeddedPair, openPair, type ServedIncus, trust, type Versions } from './pair.ts'
import {
  attachVolume,
  instanceOf,
  readMarker,
  readVolumeMarker,
  seedInstance,
  seedProfile,
  seedProject,
  setRunning,
  useVolume,
  write,
  writeVolume,
} from './scene.ts'
import type { EmbeddedIncus } from './server.ts'

const FENCED = 'fenced'
const PLACE = { pool: 'default', project: 'default' }

/** `incus`: the servers themselves, to be looked into. */
export type EmbeddedContractPair = ContractPair & { incus: Record<'main' | 'backup', EmbeddedIncus> }

export async function openEmbedded(versions: Versions = {}): Promise<EmbeddedContractPair> {
  const pair = await openPair({ versions })
  const clients = {
    trusted: await createCertificate('relay'),
    restricted: await createCertificate('restricted relay'),
    untrusted: await createCertificate('stranger'),
  }
  return {
    main: contractServer('main', pair, clients),
    backup: contractServer('backup', pair, clients),
    incus: { main: pair.main.incus, backup: pair.backup.incus },
    elapse: (seconds) => pair.clock.jump(seconds * 1000),
    close: pair.close,
  }
}

function contractServer(
  name: 'main' | 'backup',
  pair: EmbeddedPair,
  clients: ContractServer['clients'],
): ContractServer {
  const { incus, listener, certificate, fingerprint }: ServedIncus = pair[name]
  seedProject(incus, FENCED)
  trust(incus, clients.trusted)
  trust(incus, clients.restricted, [FENCED])
  return {
    ...{
      name,
      url: listener.url,
      certificate,
      fingerprint,
      clients,
      pool: 'default',
      driver: incus.options.driver,
    },
    createProject: async (project) => seedProject(incus, project),
    createInstance: async (wanted) => void seedInstance(incus, wanted),
    putProfile: async (profile, config) => seedProfile(incus, profile, config),
    setProfiles: async (it, profiles) => void Object.assign(instanceOf(incus, it), { profiles }),
    setRunning: async (it, running) => setRunning(instanceOf(incus, it), running),
    attachVolume: async (it, volume) => {
      const detach = attachVolume(incus, it, volume)
      return async () => detach()
    },
    write: async (it, marker, bytes) => write(instanceOf(incus, it), marker, bytes),
    readMarker: async (it, snapshot) => readMarker(incus, it, snapshot),
    createVolume: async (volume) => void addCustom(incus, { ...PLACE, name: volume }),
    useVolume: async (it, volume) => useVolume(incus, it, volume),
    writeVolume: async (volume, marker, bytes) => writeVolume(incus, volume, marker, bytes),
    readVolumeMarker: async (volume, snapshot) => readVolumeMarker(incus, volume, snapshot),
    createBucket: async (bucket, objects) => {
      incus.bucketsAddress = '127.0.0.1:8555'
      addBucket(incus, { ...PLACE, name: bucket }, { objects: new Map(Object.entries(objects)) })
    },
    readObjects: async (bucket, key) => readObjects(incus, { ...PLACE, name: bucket }, key?.accessKey ?? ''),
    unmount: async (it) => void Object.assign(instanceOf(incus, it), { mounted: false }),
    throttle: async (bytesPerSecond) => {
      incus.bandwidth = bytesPerSecond
    },
    kill: async () => {
      await listener.kill()
      // The clients live in this very process, and must be let to notice.
      await sleep(50)
    },
    start: listener.start,
  }
}
