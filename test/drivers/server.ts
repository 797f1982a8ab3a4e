/** An Incus in the machine: its daemon, all the pools, and what the suite does to its instances. */
import { createHash, X509Certificate } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientCertificate } from '../contract/server.ts'
import { type Api, openApi } from './api.ts'
import { ADDRESS, type Machine } from './machine.ts'
import { KINDS, type Kind, poolOf } from './pools.ts'

export type Server = {
  name: 'main' | 'backup'
  version: string
  /** From this host. */
  url: string
  /** For the other server. */
  address: string
  fingerprint: string
  run: Api['run']
  /** Of the image, with its root disk on that pool. */
  createInstance(name: string, kind: Kind, config?: Record<string, string>): Promise<void>
  setRunning(name: string, running: boolean): Promise<void>
  statusOf(name: string): Promise<string>
  write(name: string, data: string): Promise<void>
  read(name: string): Promise<string | null>
  /** The data in what comes of the snapshot as an instance of its own, which is removed again. */
  readRestored(name: string, snapshot: string): Promise<string | null>
  close(): Promise<void>
}

export const PORTS = { main: 8443, backup: 8444 } as const

const FILE = '/root/data'

type Spec = { name: Server['name']; version: string; client: ClientCertificate }

export async function startServer(machine: Machine, { name, version, client }: Spec): Promise<Server> {
  const certificate = await startDaemon(machine.sh, name, version, client.cert)
  const url = `https://127.0.0.1:${machine.ports.get(PORTS[name])}`
  const api = openApi(url, certificate, client)
  for (const kind of KINDS) await api.run('POST', '/1.0/storage-pools', poolOf(kind, name))
  const fingerprint = createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex')
  return {
    ...{ name, version, url, fingerprint, address: `https://${ADDRESS}:${PORTS[name]}` },
    ...sceneOf(api),
    run: api.run,
    close: api.close,
  }
}

/** Answers the server's certificate. */
async function startDaemon(
  sh: Machine['sh'],
  name: Server['name'],
  version: string,
  trusted: string,
): Promise<string> {
  const dir = `/srv/${name}`
  await sh(`set -e
# Unprivileged containers need a range for root.
echo root:1000000:1000000000 | tee /etc/subuid >/etc/subgid
mkdir -m 711 ${dir}
INCUS_DIR=${dir} setsid /srv/incus/${version} --group root --logfile ${dir}.log >${dir}.err 2>&1 &
export INCUS_DIR=${dir}
incus admin waitready --timeout 300
incus config set core.https_address :${PORTS[name]}
cat >/tmp/trusted.crt <<'END'
${trusted}
END
incus config trust add-certificate /tmp/trusted.crt`)
  return sh(`cat ${dir}/server.crt`)
}

/**
 * Incus gives the process that serves a stopped instance's files too little time to come up here, and ends it
 * some seconds after its last use: soon asked again, it is there.
 */
async function patiently<Value>(work: () => Promise<Value>): Promise<Value> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === 40 || !/forkfile|unexpected EOF/.test(String(error))) throw error
      await sleep(500)
    }
  }
}

function sceneOf({ run, readFile, writeFile }: Api) {
  const read: Server['read'] = (name) => patiently(() => readFile(name, FILE))
  return {
    read,
    async createInstance(name: string, kind: Kind, config: Record<string, string> = {}) {
      const source = { type: 'image', alias: 'busybox' }
      const devices = { root: { type: 'disk', path: '/', pool: kind } }
      await run('POST', '/1.0/instances', { name, type: 'container', source, devices, config })
    },
    async setRunning(name: string, running: boolean) {
      const body = { action: running ? 'start' : 'stop', force: !running, timeout: 300 }
      await run('PUT', `/1.0/instances/${name}/state`, body)
    },
    async statusOf(name: string) {
      const { status } = (await run('GET', `/1.0/instances/${name}`)) as { status: string }
      return status
    },
    write: (name: string, data: string) => patiently(() => writeFile(name, FILE, data)),
    async readRestored(name: string, snapshot: string) {
      const restored = `restored-${name}`
      const source = { type: 'copy', source: `${name}/${snapshot}` }
      await run('POST', '/1.0/instances', { name: restored, type: 'container', source })
      try {
        return await read(restored)
      } finally {
        await run('DELETE', `/1.0/instances/${restored}`)
      }
    },
  }
}
