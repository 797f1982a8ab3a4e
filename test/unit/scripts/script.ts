/** Runs a script as npm does, in a folder of its own and with nothing else in the environment. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const SCRIPTS = join(import.meta.dirname, '../../../scripts')

export type Ended = { code: number | null; out: string[]; errors: string[] }

export const linesOf = (text: string): string[] => text.split(/\r?\n/).filter((line) => line !== '')

type How = { cwd: string; env?: Record<string, string>; args?: readonly string[]; input?: string }

/** In a terminal of its own, which echoes what is typed; everything that is said is in `out`. */
export function runInTerminal(name: string, { cwd, env = {}, input = '' }: How): Promise<Ended> {
  const command = `'${process.execPath}' '${join(SCRIPTS, `${name}.ts`)}'`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
  })
  let out = ''
  child.stdout.on('data', (text) => {
    out += text
    if (String(text).includes('[y/N]')) child.stdin.write(input)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out: linesOf(out), errors: [] }))
  })
}

export function runScript(name: string, { cwd, env = {}, args = [], input }: How): Promise<Ended> {
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
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out: linesOf(said.out), errors: linesOf(said.errors) }))
  })
}
