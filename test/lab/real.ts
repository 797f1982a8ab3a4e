/** Tests that need real daemons: run where there are any, loud where there are none. */
import { readFileSync } from 'node:fs'
import { test } from 'vitest'
import { missingForLab } from './installed.ts'
import { isPossible, missingForMachines } from './vm/kit.ts'

/** Where the build installs what a test needs, its lack is a broken build and no reason to skip. */
export const isOwed = (): boolean =>
  process.env.CI === 'true' && process.getuid?.() === 0 && /^ID=debian$/m.test(readOsRelease())

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return ''
  }
}

/** `what` is what a real Incus would judge, by these daemons where not by the installed one. */
export function onRealIncus(what: string, define: () => void, incusds?: readonly string[]): void {
  onReal(what, define, missingForLab(incusds), isOwed())
}

/** Likewise, by daemons that have virtual machines. A machine that can have none owes none. */
export function onRealMachines(what: string, define: () => void, incusds?: readonly string[]): void {
  onReal(what, define, missingForLab(incusds) ?? missingForMachines(), isOwed() && isPossible())
}

function onReal(what: string, define: () => void, missing: string | null, owed: boolean): void {
  if (missing === null) {
    define()
    return
  }
  if (owed) {
    test(`a real Incus judges ${what}`, () => {
      throw new Error(`CI on Debian as root must have a real Incus: ${missing}`)
    })
    return
  }
  const line = '='.repeat(78)
  process.stderr.write(
    `\n${line}\nNOT TESTED AGAINST A REAL INCUS: ${what}\n${missing}\nOnly the embedded Incus was there to judge.\n${line}\n\n`,
  )
  test.skip(`NOT TESTED against a real Incus: ${missing}`, () => {})
}
