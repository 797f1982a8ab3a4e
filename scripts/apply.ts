/** `npm run apply [-- --dry-run] [file]`: hands stapes.jsonc to the Worker, and lets it look at once. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fail, openSession } from './remote.ts'

const { file, dryRun } = readArguments()
const session = openSession()
const applied = await session.apply(readConfiguration(file), dryRun)
if (!applied.ok) fail(applied.error.map((line) => `${file}: ${line}`))
for (const warning of applied.value.warnings) console.error(`warning: ${warning}`)
console.log(
  `${dryRun ? 'valid' : 'applied'}: ${applied.value.policies.join(', ')} (${applied.value.version})`,
)
if (!dryRun) {
  const ticked = await session.tick()
  if (!ticked.ok) fail(['applied, but the first tick failed:', ...ticked.error])
}

function readArguments(): { file: string; dryRun: boolean } {
  try {
    const { values, positionals } = parseArgs({
      options: { 'dry-run': { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    if (positionals.length < 2) return { file: positionals[0] ?? 'stapes.jsonc', dryRun: values['dry-run'] }
  } catch {
    // An option that there isn't.
  }
  return fail(['usage: npm run apply [-- --dry-run] [file]'], 2)
}

function readConfiguration(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    return fail([`${path} can't be read: ${(error as Error).message}`], 2)
  }
}
