/** An Incus in the machine: its daemon, all the pools, and what the suite does to its instances. */
import { createHash, X509Certificate } from 'node:crypto'
import type { ClientCertificate } from '../contract/server.ts'
import { type Api, openApi } from './api.ts'
import { ADDRESS, type Machine } from './machine.ts'
import { KINDS, type Kind, poolOf } from './pools.ts'
import { openVolumes, type Volumes } from './volumes.ts'

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
  createInstance(name: string, kind: Kind): Promise<void>
  start(name: string): Promise<void>
  statusOf(name: string): Promise<string>
  volumes: Volumes
  /** Of the data in what comes of the snapshot as an instance of its own, which is removed again. */
  digestInRestored(name: string, snapshot: string, kind: Kind): Promise<string | null>
  close(): Promise<void>
}

export const PORTS = { main: 8443, backup: 8444 } as const

type Spec = { name: Server['name']; version: string; client: ClientCertificate }

export async function startServer(machine: Machine, { name, version, client }: Spec): Promise<Server> {
  const certificate = await startDaemon(machine.sh, name, version, client.cert)
  const url = `https://127.0.0.1:${machine.ports.get(PORTS[name])}`
  const api = openApi(url, certificate, client)
  for (const kind of KINDS) await api.run('POST', '/1.0/storage-pools', poolOf(kind, name))
  const volumes = openVolumes(machine.sh, name)
  const fingerprint = createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex')
  return {
    ...{ name, version, url, fingerprint, address: `https://${ADDRESS}:${PORTS[name]}` },
    ...sceneOf(api, volumes),
    ...{ volumes, run: api.run },
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

function sceneOf({ run }: Api, { digestOf }: Volumes) {
  return {
    async createInstance(name: string, kind: Kind) {
      const source = { type: 'image', alias: 'busybox' }
      const devices = { root: { type: 'disk', path: '/', pool: kind } }
      await run('POST', '/1.0/instances', { name, type: 'container', source, devices })
    },
    async start(name: string) {
      await run('PUT', `/1.0/instances/${name}/state`, { action: 'start', timeout: 300 })
    },
    async statusOf(name: string) {
      const { status } = (await run('GET', `/1.0/instances/${name}`)) as { status: string }
      return status
    },
    async digestInRestored(name: string, snapshot: string, kind: Kind) {
      const restored = `restored-${name}`
      const source = { type: 'copy', source: `${name}/${snapshot}` }
      await run('POST', '/1.0/instances', { name: restored, type: 'container', source })
      try {
        return await digestOf({ name: restored, kind })
      } finally {
        await run('DELETE', `/1.0/instances/${restored}`)
      }
    },
  }
}
