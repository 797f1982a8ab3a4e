/** A cluster of three and a server that stands alone: each backs up onto the other. */
import { join } from 'node:path'
import type { ContractServer } from '../contract/server.ts'
import { createBuckets } from '../lab/buckets.ts'
import { type Cluster, startCluster } from '../lab/cluster.ts'
import { createScene } from '../lab/scene.ts'
import { type LabServer, startServer } from '../lab/server.ts'
import type { Theatre } from './stage.ts'

/** `main` stands alone; `backup` is the cluster. */
export type ClusterTheatre = Theatre & { cluster: Cluster; single: LabServer }

export async function openCluster(incusd?: string): Promise<ClusterTheatre> {
  const cluster = await startCluster(incusd === undefined ? {} : { incusd })
  const { clients, dir } = cluster
  // Under the cluster's directory, so that it goes with it.
  const single = await startServer({ name: 'main', dir: join(dir, 'single'), driver: 'dir', clients, incusd })
  return {
    ...{ main: single, single, cluster, backup: asServer(cluster) },
    mutual: true,
    elapse: async () => {},
    restore: async (it, snapshot) => (await cluster.homeOf(it)).readMarker(it, snapshot),
    async close() {
      await single.close()
      await single.kill()
      await cluster.close()
    },
  }
}

/** As one server, whichever member an instance is on; killed is the member whose URL stands first. */
function asServer({
  members,
  certificate,
  fingerprint,
  clients,
  pool,
  driver,
  run,
  homeOf,
}: Cluster): ContractServer {
  const [first, ...others] = members
  return {
    ...createScene(first.dir, run),
    ...createBuckets(run),
    ...{ name: 'backup', url: first.url, certificate, fingerprint, clients, pool, driver },
    spare: others.map(({ url }) => ({ url, address: url })),
    write: async (it, marker, bytes) => createScene((await homeOf(it)).dir, run).write(it, marker, bytes),
    readMarker: async (it, snapshot) => (await homeOf(it)).readMarker(it, snapshot),
    kill: first.kill,
    start: first.start,
  }
}
