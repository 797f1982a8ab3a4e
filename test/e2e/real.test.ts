/** End to end on two real daemons. */
import { startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { backupsEndToEnd } from './backups.ts'
import { realTheatre } from './real-theatre.ts'

onRealIncus('backups, end to end', () =>
  backupsEndToEnd('two real daemons', async () => realTheatre(await startPair())),
)
