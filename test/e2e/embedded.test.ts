/** End to end on the embedded pair. */
import { openEmbedded } from '../emulator/contract-pair.ts'
import { backupsEndToEnd } from './backups.ts'

backupsEndToEnd('the embedded Incus', async () => {
  const pair = await openEmbedded()
  // Without data there is no marker, whatever the snapshot's name promises.
  return { ...pair, restore: (it, snapshot) => pair.backup.readMarker(it, snapshot) }
})
