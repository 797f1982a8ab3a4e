/** The suite against a pair of real daemons. */

import { setTimeout as sleep } from 'node:timers/promises'
import { startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { incusContract } from './incus.ts'
import type { ContractPair } from './server.ts'

async function openPair(): Promise<ContractPair> {
  const pair = await startPair()
  return { ...pair, elapse: (seconds) => sleep(seconds * 1000) }
}

onRealIncus('the contract', () => incusContract('two real daemons', openPair))
