#!/usr/bin/env node
/** The command line. `stapes --help` lists its commands; docs/command-line.md has exit codes and the form of `--json`. */
import { proposeCompletions } from '@stricli/core'
import { VERSION } from '../shared/version.ts'
import { createApp } from './cli/app.ts'
import { callCommand } from './cli/call.ts'
import { outlive } from './cli/pipes.ts'
import type { Place } from './cli/place.ts'
import { scriptOf, scripts } from './cli/scripts.ts'
import { loadEnvironment, readSession } from './remote.ts'

const [name, ...words] = process.argv.slice(2)
const place: Place = {
  process: process as Place['process'],
  session() {
    loadEnvironment()
    return readSession()
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
  await callCommand({ version: VERSION, more: scripts }, process.argv.slice(2), place)
}
