/** Redeems a trust token: from then on the server trusts the relay's certificate. */
import { Agent, request } from 'undici'
import { type ClientCertificate, createPinnedConnector } from '../../relay/pinning.ts'
import { err, ok, type Result } from '../../shared/result.ts'

/** Gives the URL that answered. The server is known by the token's fingerprint before anything is sent. */
export async function redeem(
  token: { text: string; fingerprint: string },
  urls: readonly string[],
  client: ClientCertificate,
): Promise<Result<string, string>> {
  const dispatcher = new Agent({ connect: createPinnedConnector(client, [token.fingerprint]) })
  const failures: string[] = []
  try {
    for (const url of urls) {
      const answer = await post(url, token.text, dispatcher).catch((cause: Error) => cause)
      if (answer instanceof Error) failures.push(`${url}: ${answer.message}`)
      else if (answer.status === 201 || /already/.test(answer.error)) return ok(url)
      else return err(`${url} refused the token (${answer.error}): a token works once, make a new one`)
    }
  } finally {
    await dispatcher.close()
  }
  const hint = 'name the address that this machine reaches: npm run trust -- <name> <token> https://host:8443'
  return err(`the server can't be reached:\n  ${failures.join('\n  ')}\n${hint}`)
}

async function post(
  url: string,
  token: string,
  dispatcher: Agent,
): Promise<{ status: number; error: string }> {
  const body = JSON.stringify({ type: 'client', trust_token: token })
  const headers = { 'content-type': 'application/json' }
  const answer = await request(`${url}/1.0/certificates`, { method: 'POST', body, headers, dispatcher })
  const { error } = (await answer.body.json()) as { error?: string }
  return { status: answer.statusCode, error: error ?? '' }
}
