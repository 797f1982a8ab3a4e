/**
 * End to end on a cluster of three real daemons and a fourth that stands alone: the installed one's, by
 * `npm run lab:cluster` the newer one's, or any other's.
 */
import { INCUSD, NEWER } from '../lab/installed.ts'
import { onRealIncus } from '../lab/real.ts'
import { clusterEndToEnd } from './cluster.ts'
import { openCluster } from './cluster-theatre.ts'

const incusd = process.env.LAB_INCUSD ?? (process.env.LAB_CLUSTER === 'newer' ? NEWER : INCUSD)

onRealIncus(
  'backups of a cluster, end to end',
  () => clusterEndToEnd(`four daemons of ${incusd}`, () => openCluster(incusd)),
  [incusd],
)
