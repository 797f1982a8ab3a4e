/** The secrets of a channel, by what they are for. */
import { type Channel, NEEDS, SECRET_NAME, SECRETS, type SecretUse } from '../../shared/notify/channel.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { addressProblem, secretOf, type Vault } from '../vault.ts'

export type Secrets = Partial<Record<SecretUse, string>>

/** Characters of a key to sign with. */
const SHORTEST = 24

/** Why the channel can't be used, with what to do; never a value. */
export function secretsOf({ type, secrets }: Channel, vault: Vault): Result<Secrets, string> {
  const found: Secrets = {}
  for (const use of SECRETS) {
    const name = secrets[use]
    if (name === undefined) continue
    const secret = secretOf(vault, name, { names: SECRET_NAME, problemOf: (value) => problemOf(use, value) })
    if (!secret.ok) return secret
    found[use] = secret.value
  }
  const missing = NEEDS[type].needed.find((use) => found[use] === undefined)
  return missing === undefined ? ok(found) : err(`it has no "${missing}": complete it in stapes.jsonc`)
}

function problemOf(use: SecretUse, value: string): string | null {
  if (use === 'key') return value.length < SHORTEST ? `is a key of less than ${SHORTEST} characters` : null
  if (use === 'url') return addressProblem(value)
  return /^[\x21-\x7e]+$/.test(value) ? null : 'holds a character that no header may have'
}
