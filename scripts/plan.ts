/**
 * `npm run plan [-- --applied] [--json] [[--file] file]`: what the next tick would do if stapes.jsonc were applied as
 * it is, and why, and which snapshots go later; `--applied`: as things stand. Nothing is done.
 */
import { existsSync } from 'node:fs'
import { renderDifference } from './difference.ts'
import { fail } from './fail.ts'
import { commandOf, readOptions } from './options.ts'
import { fileOf, loadEnvironment, openDocument, openSession } from './remote.ts'
import { simulateOn } from './simulate-on.ts'

const { given, words } = readOptions(
  ['applied', 'dry-run', 'json'],
  1,
  'npm run plan [-- --applied] [--json] [[--file] file]',
)
const [file] = words
loadEnvironment()
// Where there is no document at all, the applied one is what can be meant.
const isMeant = !given.applied && (file !== undefined || existsSync(fileOf(file)))
const document = isMeant ? openDocument(file) : null
const session = openSession()
const planned = await session.plan(document)
if (!planned.ok) fail(planned.error)
const { text, applied, warnings } = planned.value
for (const warning of warnings) console.error(`warning: ${warning}`)
if (!given.json) process.stdout.write(text)
const simulated = await simulateOn(session, document)
if (!simulated.ok)
  console.error(`warning: what goes later could not be simulated: ${simulated.error.join('; ')}`)
const later = simulated.ok ? simulated.value : null
if (given.json) console.log(JSON.stringify({ plan: planned.value, simulation: later }, null, 2))
else if (later !== null) process.stdout.write(`\nThe snapshots that exist, within a year:\n${later.text}`)
if (document !== null && !applied) {
  const config = await session.config()
  if (!given.json && config.ok && config.value !== null) {
    const all = { planned: planned.value, simulated: later }
    process.stdout.write(`\n${await renderDifference(document, all, config.value, session)}`)
  }
  console.error(
    `${document.file} differs from the applied configuration; to apply it: ${commandOf('apply', file)}`,
  )
}
