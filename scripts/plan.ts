/**
 * `npm run plan [-- --applied] [file]`: what the next tick would do if stapes.jsonc were applied as it is, and why;
 * `--applied`: what it will do as things stand. Nothing is done.
 */
import { existsSync } from 'node:fs'
import { fail } from './fail.ts'
import { readOptions } from './options.ts'
import { fileOf, loadEnvironment, openDocument, openSession } from './remote.ts'

const { given, words } = readOptions(['applied', 'dry-run'], 1, 'npm run plan [-- --applied] [file]')
const [file] = words
loadEnvironment()
// Where there is no document at all, the applied one is what can be meant.
const isMeant = !given.applied && (file !== undefined || existsSync(fileOf(file)))
const document = isMeant ? openDocument(file) : null
const planned = await openSession().plan(document)
if (!planned.ok) fail(planned.error)
const { text, applied, warnings } = planned.value
for (const warning of warnings) console.error(`warning: ${warning}`)
process.stdout.write(text)
if (document !== null && !applied)
  console.error(`${document.file} differs from the applied configuration; to apply it: npm run apply`)
