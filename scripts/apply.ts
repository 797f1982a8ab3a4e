/**
 * `npm run apply [-- --dry-run | --yes] [[--file] file]`: shows what stapes.jsonc changes, asks, applies it, and runs a
 * tick at once. Without a terminal it applies only with `--yes`, unless nothing changes.
 */
import { agree } from './agree.ts'
import { renderDifference } from './difference.ts'
import { fail } from './fail.ts'
import { commandOf, readOptions } from './options.ts'
import { loadEnvironment, openDocument, openSession } from './remote.ts'
import { simulateOn } from './simulate-on.ts'

const usage = 'npm run apply [-- --dry-run | --yes] [[--file] file]'
const { given, words } = readOptions(['dry-run', 'yes'], 1, usage)
loadEnvironment()
const document = openDocument(words[0])
const session = openSession()
const dryRun = given['dry-run']

const checked = await session.apply(document, true)
if (!checked.ok) fail(checked.error)
const { warnings, policies, version } = checked.value
for (const warning of warnings) console.error(`warning: ${warning}`)
const current = await session.config()
if (!current.ok) fail(current.error)
const changes = current.value?.version !== version
const what = `${policies.join(', ') || 'no policy'} (${version})`

if (changes) process.stdout.write(await previewOf())
if (dryRun) {
  console.log(
    `${document.file} is valid, and not applied: ${what}${changes ? '' : '; it is what is applied already'}`,
  )
  process.exit(0)
}
if (changes && !given.yes) await confirm()
const applied = await session.apply(document, false)
if (!applied.ok) fail(applied.error)
for (const warning of applied.value.warnings)
  if (!warnings.includes(warning)) console.error(`warning: ${warning}`)
console.log(
  changes
    ? `${document.file} is applied: ${what}`
    : `${document.file} is applied already, and nothing changes: ${what}`,
)
const ticked = await session.tick()
if (!ticked.ok) fail(['applied, but the first tick failed:', ...ticked.error])

async function previewOf(): Promise<string> {
  const planned = await session.plan(document)
  if (!planned.ok) return fail(planned.error)
  const simulated = await simulateOn(session, document)
  if (!simulated.ok)
    console.error(`warning: what goes later could not be simulated: ${simulated.error.join('; ')}`)
  const all = { planned: planned.value, simulated: simulated.ok ? simulated.value : null }
  const first = current.ok && current.value === null ? `${planned.value.text}\n` : ''
  return `${first}${await renderDifference(document, all, current.ok ? current.value : null, session)}`
}

async function confirm(): Promise<void> {
  const agreed = await agree(`Apply ${document.file}?`)
  if (agreed === null)
    fail(
      [
        `${document.file} was not applied: there is no terminal to ask in.`,
        `If the above is what you want: ${commandOf('apply', words[0], '--yes')}`,
      ],
      2,
    )
  if (!agreed) fail([`${document.file} was not applied`])
}
