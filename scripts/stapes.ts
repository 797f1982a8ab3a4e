#!/usr/bin/env node
/** The command line. `stapes --help` lists its commands; docs/command-line.md has exit codes and the form of `--json`. */
import { readFileSync } from 'node:fs'
import { proposeCompletions, run } from '@stricli/core'
import { createApp } from './cli/app.ts'
import type { Place } from './cli/place.ts'
import { scriptOf, scripts } from './cli/scripts.ts'
import { loadEnvironment, openSession } from './remote.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}
const [name, ...words] = process.argv.slice(2)
const place: Place = {
  process: process as Place['process'],
  session() {
    loadEnvironment()
    return openSession(1)
  },
}

const script = scriptOf(name)
if (script !== null) {
  // It reads its arguments by itself.
  process.argv.splice(2, 1)
  await script()
} else if (name === '--complete') {
  const proposed = await proposeCompletions(createApp(version, scripts), words, place)
  for (const { completion } of proposed) console.log(completion)
} else {
  await run(createApp(version, scripts), process.argv.slice(2), place)
  // What isn't understood ends in a negative code of the parser.
  if (Number(process.exitCode) < 0) process.exitCode = 1
}
