/** Tests that need real daemons: run where there are any, loud where there are none. */
import { readFileSync } from 'node:fs'
import { test } from 'vitest'
import { hasTool, missingForLab } from './installed.ts'
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

/** Likewise, what Prometheus's own tool judges. */
export function onPromtool(what: string, define: () => void): void {
  const missing = hasTool('promtool')
    ? null
    : 'promtool missing: run "sh test/lab/install.sh" as root on Debian, or install prometheus'
  onReal(what, define, missing, isOwed(), 'promtool')
}

function onReal(
  what: string,
  define: () => void,
  missing: string | null,
  owed: boolean,
  judge = 'a real Incus',
): void {
  if (missing === null) {
    define()
    return
  }
  if (owed) {
    test(`${judge} judges ${what}`, () => {
      throw new Error(`CI on Debian as root must have ${judge}: ${missing}`)
    })
    return
  }
  const line = '='.repeat(78)
  const instead =
    judge === 'promtool' ? 'Nothing else judges it.' : 'Only the embedded Incus was there to judge.'
  process.stderr.write(
    `\n${line}\nNOT TESTED AGAINST ${judge.toUpperCase()}: ${what}\n${missing}\n${instead}\n${line}\n\n`,
  )
  test.skip(`NOT TESTED against ${judge}: ${missing}`, () => {})
}
