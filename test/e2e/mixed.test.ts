/** End to end from 6.0 LTS to 7.0 LTS, and from 7.0 LTS to 6.0 LTS. */
import { INCUSD, NEWER } from '../lab/installed.ts'
import { startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { backupsEndToEnd } from './backups.ts'
import { realTheatre } from './real-theatre.ts'

onRealIncus('backups, end to end, between 6.0 and 7.0', () => {
  backupsEndToEnd('a real main of 6.0 and a backup of 7.0', async () =>
    realTheatre(await startPair({ daemons: { main: INCUSD, backup: NEWER } })),
  )
  backupsEndToEnd('a real main of 7.0 and a backup of 6.0', async () =>
    realTheatre(await startPair({ daemons: { main: NEWER, backup: INCUSD } })),
  )
}, [INCUSD, NEWER])
