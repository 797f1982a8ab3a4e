/** Runs a script as npm does, in a folder of its own and with nothing else in the environment. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const SCRIPTS = join(import.meta.dirname, '../../../scripts')

export type Ended = { code: number | null; out: string[]; errors: string[] }

export function runScript(
  name: string,
  {
    cwd,
    env = {},
    args = [],
    input,
  }: { cwd: string; env?: Record<string, string>; args?: readonly string[]; input?: string },
): Promise<Ended> {
  const child = spawn(process.execPath, [join(SCRIPTS, `${name}.ts`), ...args], {
    cwd,
    env,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  child.stdin?.end(input)
  const said = { out: '', errors: '' }
  child.stdout?.on('data', (text) => {
    said.out += text
  })
  child.stderr?.on('data', (text) => {
    said.errors += text
  })
  const linesOf = (text: string) => text.split('\n').filter((line) => line !== '')
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out: linesOf(said.out), errors: linesOf(said.errors) }))
  })
}
