/** The suite against a pair of real daemons; loud where there can't be any. */

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'vitest'
import { missingForLab } from '../lab/installed.ts'
import { startPair } from '../lab/pair.ts'
import { incusContract } from './incus.ts'
import type { ContractPair } from './server.ts'

async function openPair(): Promise<ContractPair> {
  const pair = await startPair()
  return { ...pair, elapse: (seconds) => sleep(seconds * 1000) }
}

/** Where the build installs Incus, a missing one is a broken build and no reason to skip. */
const isOwed = (): boolean =>
  process.env.CI === 'true' && process.getuid?.() === 0 && /^ID=debian$/m.test(readOsRelease())

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return ''
  }
}

const missing = missingForLab()
if (missing === null) {
  incusContract('two real daemons', openPair)
} else if (isOwed()) {
  test('a real Incus judges the contract', () => {
    throw new Error(`CI on Debian as root must have a real Incus: ${missing}`)
  })
} else {
  const line = '='.repeat(78)
  process.stderr.write(
    `\n${line}\nNOT TESTED AGAINST A REAL INCUS\n${missing}\nThe contract was checked against the embedded Incus alone.\n${line}\n\n`,
  )
  test.skip(`NOT TESTED against a real Incus: ${missing}`, () => {})
}
