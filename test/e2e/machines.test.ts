/** Policies over virtual machines, on the embedded pair and on real daemons that have them. */
import { openEmbedded } from '../emulator/contract-pair.ts'
import { INCUSD, NEWER } from '../lab/installed.ts'
import { startPair } from '../lab/pair.ts'
import { onRealMachines } from '../lab/real.ts'
import { withMachines } from '../lab/vm/kit.ts'
import { machinesEndToEnd } from './machines.ts'
import { realTheatre } from './real-theatre.ts'

machinesEndToEnd('the embedded Incus', async () => {
  const pair = await openEmbedded()
  return { ...pair, restore: (it, snapshot) => pair.backup.readMarker(it, snapshot) }
})

for (const daemon of [INCUSD, NEWER])
  onRealMachines(
    `virtual machines, end to end, on ${daemon}`,
    () =>
      machinesEndToEnd(`two real daemons, ${daemon}`, async () => {
        const incusd = await withMachines(daemon)
        return realTheatre(await startPair({ daemons: { main: incusd, backup: incusd } }))
      }),
    [daemon],
  )
