/** `npm run notify -- --test`: sends a test to each channel of the applied configuration, and shows what came back. */
import { fail } from './fail.ts'
import { readOptions } from './options.ts'
import { loadEnvironment, openSession } from './remote.ts'

const USAGE = 'npm run notify -- --test'

const { given } = readOptions(['test'], 0, USAGE)
if (!given.test) fail([`usage: ${USAGE}`], 2)
loadEnvironment()
const tested = await openSession().testNotify()
if (!tested.ok) fail(tested.error)
const { channels } = tested.value
if (channels.length === 0)
  fail(['the applied configuration has no channels: add "notify" to stapes.jsonc, and npm run apply'])
for (const { name, type, ok, reason } of channels)
  console.log(`${name} (${type}): ${ok ? 'it took the message' : `failed: ${reason}`}`)
if (channels.some(({ ok }) => !ok)) process.exitCode = 1
