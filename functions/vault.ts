/** Secrets of the Worker whose names a configuration gives. Their values stay here and in requests. */
import { err, ok, type Result } from '../shared/result.ts'
import { type Flaw, flawOf, HERE } from './address.ts'
import type { Env } from './env.ts'

/** Secrets of the Worker, by name. */
export type Vault = (name: string) => string | undefined

export const vaultOf =
  (env: Env): Vault =>
  (name) => {
    const value: unknown = Object.getOwnPropertyDescriptor(env, name)?.value
    return typeof value === 'string' ? value : undefined
  }

type Form = {
  /** Secrets of other names are not read. */
  names: RegExp
  /** What is wrong with a value, without it; null: nothing. */
  problemOf(value: string): string | null
}

/** Its value, or what is wrong and what to do; never a value in that. */
export function secretOf(vault: Vault, name: string, { names, problemOf }: Form): Result<string, string> {
  const value = names.test(name) ? (vault(name) ?? '') : ''
  const problem = value === '' ? 'is not set' : problemOf(value)
  if (problem === null) return ok(value)
  return err(
    `the secret ${name} ${problem}: npx wrangler secret put ${name}, or for npm start ${name}=… in .env`,
  )
}

const FLAWS: Record<Flaw, string> = {
  'no address': 'is no https:// address',
  user: 'names a user or a password before the @',
  plain: `is an http:// address, which is only for ${HERE}`,
}

/** Messages and pings name servers and instances, so they travel encrypted, but to this machine itself. */
export function addressProblem(value: string): string | null {
  const flaw = flawOf(value)
  return flaw === null ? null : FLAWS[flaw]
}
