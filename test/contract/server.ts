/**
 * What the contract suite needs of an Incus, embedded or real, beyond the REST API itself: addresses,
 * client certificates, a way to set the scene and ways to break it. Everything the suite checks goes
 * through `url`; the rest only prepares.
 */

/** PEM texts, as `tls.connect` takes them. */
export type ClientCertificate = { cert: string; key: string }

/** `project` absent means `default`. */
export type ContractInstance = { project?: string; name: string }

type InstanceType = 'container' | 'virtual-machine'

export type ContractServer = {
  name: 'main' | 'backup'
  /** `https://127.0.0.1:<port>`, the same after a restart. */
  url: string
  /** Other members of the same cluster, with the same certificate. */
  spare?: { url: string; address: string }[]
  /** The server's certificate, PEM, and the sha256 of its DER in hex. */
  certificate: string
  fingerprint: string
  /** Name and driver of the only pool; a root disk on it stands in the default profile. */
  pool: string
  driver: 'btrfs' | 'dir'
  /** `restricted` is trusted for the project `fenced` alone; `untrusted` not at all. */
  clients: { trusted: ClientCertificate; restricted: ClientCertificate; untrusted: ClientCertificate }
  /** Makes an empty project that shares the profiles of `default`; existing is fine. */
  createProject(name: string): Promise<void>
  /** Empty and stopped unless `running`, a container unless it is called a virtual machine (never a running one). */
  createInstance(
    instance: ContractInstance & { running?: boolean; config?: Record<string, string>; type?: InstanceType },
  ): Promise<void>
  /** Creates or replaces a profile of the project `default` that holds nothing but config. */
  putProfile(name: string, config: Record<string, string>): Promise<void>
  setProfiles(instance: ContractInstance, profiles: string[]): Promise<void>
  setRunning(instance: ContractInstance, running: boolean): Promise<void>
  /** Makes a custom volume and attaches it; what is returned takes it off the instance and removes it. */
  attachVolume(instance: ContractInstance, volume: string): Promise<() => Promise<void>>
  /** Writes `marker` and as many bytes of fresh data as asked into the root disk of a stopped instance. */
  write(instance: ContractInstance, marker: string, bytes: number): Promise<void>
  /** The marker that the pool really holds for an instance or its snapshot; null when there is none. */
  readMarker(instance: ContractInstance, snapshot?: string): Promise<string | null>
  /** A custom volume in `default`, empty. */
  createVolume(volume: string): Promise<void>
  /** Attaches one that is there to an instance. */
  useVolume(instance: ContractInstance, volume: string): Promise<void>
  /** The same of a custom volume in `default`. */
  writeVolume(volume: string, marker: string, bytes: number): Promise<void>
  readVolumeMarker(volume: string, snapshot?: string): Promise<string | null>
  /** A bucket in `default` with these objects. */
  createBucket(bucket: string, objects: Record<string, string>): Promise<void>
  /** All its objects, by one of its keys. */
  readObjects(
    bucket: string,
    key: { accessKey: string; secretKey: string } | undefined,
  ): Promise<Record<string, string>>
  /** What a person does about a mount that a killed daemon has left on an instance. */
  unmount(instance: ContractInstance): Promise<void>
  /** Limits what transfers out of this server, and snapshots and restores on dir, may copy; null: no limit; what is under way keeps its own. */
  throttle(bytesPerSecond: number | null): Promise<void>
  /** The power cut: no goodbye, operations and their outcome are gone. */
  kill(): Promise<void>
  /** Comes back under the same url with what was stored; resolves when the API answers. */
  start(): Promise<void>
}

export type ContractPair = {
  main: ContractServer
  backup: ContractServer
  /** Lets that much time pass on both servers; a virtual clock may jump. */
  elapse(seconds: number): Promise<void>
  close(): Promise<void>
}
