/** `npm run apply [-- --dry-run] [file]`: applies stapes.jsonc, and runs a tick at once. */
import { fail } from './fail.ts'
import { readOptions } from './options.ts'
import { loadEnvironment, openDocument, openSession } from './remote.ts'

const { given, words } = readOptions(['dry-run'], 1, 'npm run apply [-- --dry-run] [file]')
loadEnvironment()
const document = openDocument(words[0])
const session = openSession()
const dryRun = given['dry-run']
const applied = await session.apply(document, dryRun)
if (!applied.ok) fail(applied.error)
const { warnings, policies, version } = applied.value
for (const warning of warnings) console.error(`warning: ${warning}`)
const done = dryRun ? 'valid, and not applied' : 'applied'
console.log(`${document.file} is ${done}: ${policies.join(', ') || 'no policy'} (${version})`)
if (!dryRun) {
  const ticked = await session.tick()
  if (!ticked.ok) fail(['applied, but the first tick failed:', ...ticked.error])
}
