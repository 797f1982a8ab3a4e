#!/usr/bin/env node
/** The command line. `stapes --help` lists its commands; docs/command-line.md has exit codes and the form of `--json`. */
import { proposeCompletions, run } from '@stricli/core'
import { VERSION } from '../shared/version.ts'
import { createApp } from './cli/app.ts'
import { outlive } from './cli/pipes.ts'
import type { Place } from './cli/place.ts'
import { scriptOf, scripts } from './cli/scripts.ts'
import { loadEnvironment, openSession } from './remote.ts'

const [name, ...words] = process.argv.slice(2)
const place: Place = {
  process: process as Place['process'],
  session() {
    loadEnvironment()
    return openSession(1)
  },
}

outlive(process.stdout, process.stderr)
const script = scriptOf(name)
if (script !== null) {
  // It reads its arguments by itself.
  process.argv.splice(2, 1)
  await script()
} else if (name === '--complete') {
  const proposed = await proposeCompletions(createApp(VERSION, scripts), words, place)
  for (const { completion } of proposed) console.log(completion)
} else {
  await run(createApp(VERSION, scripts), process.argv.slice(2), place)
  // What isn't understood ends in a negative code of the parser.
  if (Number(process.exitCode) < 0) process.exitCode = 1
}
