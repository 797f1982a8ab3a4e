/** The suite against a pair of real daemons: the installed one, or the one that `npm run lab -- --incus` names. */

import { setTimeout as sleep } from 'node:timers/promises'
import { INCUSD } from '../lab/installed.ts'
import { startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { incusContract } from './incus.ts'
import type { ContractPair } from './server.ts'

const incusd = process.env.LAB_INCUSD ?? INCUSD

async function openPair(): Promise<ContractPair> {
  const pair = await startPair({ daemons: { main: incusd, backup: incusd } })
  return { ...pair, elapse: (seconds) => sleep(seconds * 1000) }
}

onRealIncus('the contract', () => incusContract('two real daemons', openPair), [incusd])
