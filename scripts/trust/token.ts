/** A trust token as `incus config trust add` prints it: where the server is, its fingerprint and a secret. */
import * as z from 'zod/mini'
import { err, ok, type Result } from '../../shared/result.ts'

const schema = z.object({
  fingerprint: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  addresses: z.array(z.string()),
  secret: z.string(),
  client_name: z._default(z.string(), '<name>'),
})

/** `name`: under which the server lists it. */
type TrustToken = { fingerprint: string; addresses: string[]; name: string }

export function parseToken(text: string): Result<TrustToken, string> {
  const hint = 'make one on the server with: incus config trust add stapes --restricted --projects <projects>'
  try {
    const parsed = schema.safeParse(JSON.parse(Buffer.from(text, 'base64').toString('utf8')))
    if (!parsed.success) return err(`that is not a trust token of Incus; ${hint}`)
    const { fingerprint, addresses, client_name: name } = parsed.data
    return ok({ fingerprint, addresses, name })
  } catch {
    return err(`that is not a trust token of Incus; ${hint}`)
  }
}
