/** The suite against a pair of real daemons of 7.0 LTS. */
import { setTimeout as sleep } from 'node:timers/promises'
import { NEWER } from '../lab/installed.ts'
import { startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { incusContract } from './incus.ts'

onRealIncus(
  'the contract of 7.0',
  () =>
    incusContract('two real daemons of 7.0', async () => {
      const pair = await startPair({ daemons: { main: NEWER, backup: NEWER } })
      return { ...pair, elapse: (seconds) => sleep(seconds * 1000) }
    }),
  [NEWER],
)
