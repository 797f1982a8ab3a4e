/** End to end on two real daemons of 7.0 LTS. */
import { NEWER } from '../lab/installed.ts'
import { startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { backupsEndToEnd } from './backups.ts'
import { realTheatre } from './real-theatre.ts'

onRealIncus(
  'backups, end to end, on 7.0',
  () =>
    backupsEndToEnd('two real daemons of 7.0', async () =>
      realTheatre(await startPair({ daemons: { main: NEWER, backup: NEWER } })),
    ),
  [NEWER],
)
