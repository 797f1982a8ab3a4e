/**
 * `npm run import -- <instance> --from=<store> --as=<name>`: makes a new instance from an export, over the HTTP API, after its
 * plan was shown. `--key`: the file that age-keygen has made, of an encrypted one; what is in it is sent with this one request.
 */
import { parseArgs } from 'node:util'
import { parseGiven } from '../shared/command/given.ts'
import { keyIn } from './age-key.ts'
import { agree } from './agree.ts'
import { fail } from './fail.ts'
import { loadEnvironment, openSession } from './remote.ts'

const USAGE =
  'npm run import -- <instance> --from=<store> --as=<name> [--export=<name>] [--remote=…] [--project=…] [--pool=…] [--profiles=…] [--config=…] [--devices=…] [--start] [--key=<file>] [--yes]'

type Given = { request: Record<string, unknown>; keyFile: string | undefined; yes: boolean }

function readGiven(): Given {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  try {
    const { values, positionals } = parseArgs({
      options: {
        ...{ from: text, as: text, export: text, remote: text, project: text, pool: text, key: text },
        ...{ profiles: text, config: text, devices: text },
        ...{ start: flag, yes: flag, help: { ...flag, short: 'h' } },
      },
      allowPositionals: true,
    })
    const { key: keyFile, yes = false, help = false, profiles, config, devices, ...place } = values
    const [instance, ...more] = positionals
    if (help) {
      console.log(`usage: ${USAGE}`)
      process.exit(0)
    }
    const words = Object.entries({ profiles, config, devices }).filter(
      (one): one is [string, string] => one[1] !== undefined,
    )
    const given = parseGiven(Object.fromEntries(words))
    if (!given.ok) return fail([given.error], 2)
    if (instance !== undefined && more.length === 0)
      return { request: { do: 'import', instance, ...place, ...given.value }, keyFile, yes }
  } catch {
    // An option that there isn't.
  }
  return fail([`usage: ${USAGE}`], 2)
}

const { request, keyFile, yes } = readGiven()
const key = keyFile === undefined ? null : keyIn(keyFile)
if (key?.ok === false) fail([key.error], 2)
const wanted = key === null ? request : { ...request, key: key.value }
loadEnvironment()
const session = openSession()
const planned = await session.planOf(wanted)
if (!planned.ok) fail(planned.error)
process.stdout.write(planned.value.text)
if (!yes) {
  const agreed = await agree('Import it?')
  if (agreed === null) fail(['nothing was done: there is no terminal to ask in, so say --yes'], 2)
  if (!agreed) fail(['nothing was done'])
}
const ran = await session.run(wanted)
if (!ran.ok) fail(ran.error)
const bad = ran.value.results.filter(({ state }) => state !== 'started')
if (bad.length > 0) fail(bad.map(({ state, reason = '' }) => `${state}: ${reason}`))
console.log('it was begun; npm run plan -- --applied, the page and /backup status tell how it goes')
