import { encodeBase64Url } from 'hono/utils/encode'

/** The first 64 bits of a text's SHA-256, base64url: enough to tell two plans, or two documents, apart. */
export async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return toBase64url(digest.slice(0, 8))
}

/** Without padding. */
export const toBase64url = (bytes: ArrayBuffer): string => encodeBase64Url(bytes).replaceAll('=', '')
