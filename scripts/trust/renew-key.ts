/** `--renew-key` and `--drop-key`: a second signing key beside the first, and the end of the first. */
import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { fail } from '../fail.ts'
import { sayNarrowed } from './client.ts'
import { writePrivate } from './private-file.ts'
import { editFile, type RelayFile } from './relay-file.ts'

const FILE = 'relay-key.env'

export function renewKey(file: RelayFile): void {
  const keyids = keyidsOf(file)
  const keyid = nextKeyid(keyids)
  const key = randomBytes(32).toString('base64')
  const secrets = join(dirname(file.path), FILE)
  writePrivate(secrets, `RELAY_KEY_ID=${keyid}\nRELAY_KEY=${key}\n`)
  if (editFile(file, [[['keys', keyid], key]])) sayNarrowed(file.path)
  const old = keyids.at(-1) ?? '<keyid>'
  for (const line of [
    `"${keyid}" is in ${file.path}, beside ${keyids.map((name) => `"${name}"`).join(', ')}. Next:`,
    '  1. restart the relay: from then on it accepts both keys',
    `  2. npx wrangler secret bulk ${secrets} && rm ${secrets}      # gives id and key to the Worker at once`,
    `  3. when /api/instances answers: npm run trust -- --drop-key ${old}, and restart the relay`,
    'From step 2 on, plans in chat that wait for a confirmation have to be requested again. Copies go on.',
  ])
    console.log(line)
}

export function dropKey(file: RelayFile, keyid: string): void {
  const keyids = keyidsOf(file)
  if (!keyids.includes(keyid)) fail([`there is no key "${keyid}" in ${file.path}`])
  if (keyids.length === 1)
    fail([`"${keyid}" is the only key: npm run trust -- --renew-key makes another one`])
  if (editFile(file, [[['keys', keyid], undefined]])) sayNarrowed(file.path)
  console.log(`"${keyid}" is no longer in ${file.path}: restart the relay`)
}

function keyidsOf({ path, document }: RelayFile): string[] {
  const keyids = Object.keys(document.keys ?? {})
  return keyids.length === 0 ? fail([`there is no key in ${path}`]) : keyids
}

/** `worker`, `worker-2`, `worker-3`, …: none that is or may have been in use. */
function nextKeyid(keyids: readonly string[]): string {
  const [, stem = 'worker'] = /^(.*?)(?:-\d+)?$/.exec(keyids.at(-1) ?? '') ?? []
  const numbers = keyids.map((name) => Number(/-(\d+)$/.exec(name)?.[1] ?? 1))
  return `${stem}-${Math.max(...numbers) + 1}`
}
