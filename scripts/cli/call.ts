/** Calls a command, and sees to it that with `--json` each end is one document. */
import { run } from '@stricli/core'
import { createApp } from './app.ts'
import { EXIT } from './exit-codes.ts'
import type { Place, Route } from './place.ts'
import { createTerminal } from './terminal.ts'

type App = { version: string; more?: Readonly<Record<string, Route>> }

/** Sets the process's exit code. */
export async function callCommand(
  { version, more = {} }: App,
  words: readonly string[],
  place: Place,
): Promise<void> {
  const heard = { data: false, errors: '' }
  const { stdout, stderr, env = {} } = place.process
  const inner: Place['process'] = !isJson(words)
    ? { stdout, stderr, env }
    : {
        stdout: {
          write(text) {
            heard.data = true
            return stdout.write(text)
          },
        },
        stderr: {
          write(text) {
            heard.errors += text
            return stderr.write(text)
          },
        },
        env,
      }
  await run(createApp(version, more), words, { ...place, process: inner })
  // What isn't understood ends in a negative code of the parser.
  const code = Number(inner.exitCode) < 0 ? EXIT.failed : Number(inner.exitCode)
  place.process.exitCode = code
  if (!isJson(words) || heard.data || code === EXIT.good) return
  const command = words.find((word) => !word.startsWith('-')) ?? ''
  const error = heard.errors.split('\n').filter((line) => line !== '' && !/^\s+at /.test(line))
  createTerminal({ stdout, stderr }, { json: true, command, env }).data({ error })
}

/** Also where the other words are not understood. */
function isJson(words: readonly string[]): boolean {
  const end = words.indexOf('--')
  return (end < 0 ? words : words.slice(0, end)).some((word) => /^--json(=(true|t|yes|y|on|1))?$/i.test(word))
}
