/** The first 64 bits of a text's SHA-256, base64url: enough to tell two plans, or two documents, apart. */
export async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return btoa(String.fromCharCode(...new Uint8Array(digest).slice(0, 8)))
    .replace(/[+]/g, '-')
    .replace(/[/]/g, '_')
    .replace(/=/g, '')
}
