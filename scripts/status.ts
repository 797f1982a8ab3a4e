/** `npm run status`: whether all is well, and what isn't. Its exit code says so, too, as plugins of monitors do. */
import { fail } from './fail.ts'
import { readOptions } from './options.ts'
import { loadEnvironment, openSession } from './remote.ts'

const CODES = { good: 0, warning: 1, bad: 2 } as const
/** It can't be told. */
const UNKNOWN = 3

readOptions([], 0, 'npm run status')
loadEnvironment()
const found = await openSession(UNKNOWN).status()
if (!found.ok) fail(found.error, UNKNOWN)
const { health, warnings, promises } = found.value
const kept = promises.filter(({ state }) => state === 'kept').length
console.log(`${health}: ${kept} of ${promises.length} promises kept`)
for (const warning of warnings) console.log(warning)
process.exitCode = CODES[health] ?? UNKNOWN
