/** A trust token as `incus config trust add` prints it: where the server is, its fingerprint and a secret. */
import * as z from 'zod/mini'
import { err, ok, type Result } from '../../shared/result.ts'

const schema = z.object({
  fingerprint: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  addresses: z.array(z.string()),
  secret: z.string(),
})

export type TrustToken = z.infer<typeof schema>

export function parseToken(text: string): Result<TrustToken, string> {
  const hint = 'make one on the server with: incus config trust add stapes'
  try {
    const parsed = schema.safeParse(JSON.parse(Buffer.from(text, 'base64').toString('utf8')))
    return parsed.success ? ok(parsed.data) : err(`that is no trust token of Incus; ${hint}`)
  } catch {
    return err(`that is no trust token of Incus; ${hint}`)
  }
}
