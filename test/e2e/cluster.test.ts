/** End to end on a cluster of three real daemons and a fourth that stands alone. */
import { onRealIncus } from '../lab/real.ts'
import { clusterEndToEnd } from './cluster.ts'
import { openCluster } from './cluster-theatre.ts'

onRealIncus('backups of a cluster, end to end', () =>
  clusterEndToEnd('four real daemons', () => openCluster(process.env.LAB_INCUSD)),
)
