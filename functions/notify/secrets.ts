/** The secrets of a channel, by the names that its configuration gives. Their values stay here and in requests. */
import { type Channel, NEEDS, SECRET_NAME, SECRETS, type SecretUse } from '../../shared/notify/channel.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import type { Vault } from '../vault.ts'

export type Secrets = Partial<Record<SecretUse, string>>

/** Characters of a key to sign with. */
const SHORTEST = 24

/** Why the channel can't be used, with what to do; never a value. */
export function secretsOf({ type, secrets }: Channel, vault: Vault): Result<Secrets, string> {
  const found: Secrets = {}
  for (const use of SECRETS) {
    const name = secrets[use]
    if (name === undefined) continue
    const value = SECRET_NAME.test(name) ? vault(name) : undefined
    if (value === undefined || value === '')
      return err(`the secret ${name} is not set: npx wrangler secret put ${name}`)
    const problem = problemOf(use, value)
    if (problem !== null) return err(`the secret ${name} ${problem}: npx wrangler secret put ${name}`)
    found[use] = value
  }
  const missing = NEEDS[type].needed.find((use) => found[use] === undefined)
  return missing === undefined ? ok(found) : err(`it has no "${missing}": complete it in stapes.jsonc`)
}

function problemOf(use: SecretUse, value: string): string | null {
  if (use === 'key') return value.length < SHORTEST ? `is a key of less than ${SHORTEST} characters` : null
  if (use === 'url') return addressProblem(value)
  return /^[\x21-\x7e]+$/.test(value) ? null : 'holds a character that no header may have'
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/

/** Messages name servers and instances, so they travel encrypted, but to this machine itself. */
function addressProblem(value: string): string | null {
  const url = URL.parse(value)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return 'is no https:// address'
  if (url.username !== '' || url.password !== '') return 'names a user or a password before the @'
  if (url.protocol === 'https:' || LOOPBACK.test(url.hostname)) return null
  return 'is an http:// address, which is only for 127.0.0.1, [::1] and localhost'
}
