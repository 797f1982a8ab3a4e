/** Redeems a trust token: from then on the server trusts the relay's certificate, in the projects of the token. */
import { Agent, request } from 'undici'
import * as z from 'zod/mini'
import { type ClientCertificate, createPinnedConnector } from '../../relay/pinning.ts'
import { err, ok, type Result } from '../../shared/result.ts'

type Redeemed = {
  /** That answered. */
  url: string
  /** The server trusted the certificate before: then it redeems no token for it. */
  before: boolean
  /** Of a cluster: the URLs of the other members that answer from here, too. */
  members: string[]
}

/** In milliseconds. */
const TIMEOUT = 30_000

const serverSchema = z.object({
  metadata: z.object({
    auth: z.string(),
    environment: z.optional(
      z.object({ server: z.optional(z.string()), server_clustered: z.optional(z.boolean()) }),
    ),
  }),
})

const membersSchema = z.object({ metadata: z.array(z.object({ url: z.string() })) })

type Server = { trusted: boolean; product: string | undefined; clustered: boolean }

/**
 * The server is checked by the token's fingerprint before anything is sent; afterwards it is asked whether it
 * trusts us.
 */
export async function redeem(
  token: { text: string; fingerprint: string },
  urls: readonly string[],
  client: ClientCertificate,
): Promise<Result<Redeemed, string>> {
  const dispatcher = new Agent({ connect: createPinnedConnector(client, [token.fingerprint]) })
  try {
    const failures: string[] = []
    for (const url of urls) {
      const server = await lookAt(url, dispatcher).catch((cause: Error) => cause)
      if (!(server instanceof Error)) return await redeemAt(url, server, token.text, dispatcher)
      failures.push(`${url}: ${server.message}`)
    }
    const hint =
      'name the address that this machine reaches: npm run trust -- <name> <token> https://host:8443'
    return err(`the server can't be reached:\n  ${failures.join('\n  ')}\n${hint}`)
  } finally {
    await dispatcher.close()
  }
}

async function redeemAt(
  url: string,
  server: Server,
  token: string,
  dispatcher: Agent,
): Promise<Result<Redeemed, string>> {
  if (!server.trusted) {
    const said = await post(url, token, dispatcher).catch((cause: Error) => cause.message)
    if (said !== null) return err(`${url} refused the token (${said}): a token works once, make a new one`)
  }
  const after = await lookAt(url, dispatcher).catch((cause: Error) => cause)
  if (after instanceof Error)
    return err(`${url} stopped answering (${after.message}): run the same command again`)
  if (!after.trusted)
    return err(`${url} took the token, but still doesn't trust the certificate: make a new token`)
  if (after.product !== undefined && after.product !== 'incus')
    return err(
      `${url} is ${after.product} and not Incus: stapes can't work with it. Remove the certificate there`,
    )
  const members = after.clustered ? await otherMembers(url, dispatcher) : []
  return ok({ url, before: server.trusted, members })
}

/** Only members that can be reached from here are of use to the relay. */
async function otherMembers(url: string, dispatcher: Agent): Promise<string[]> {
  const listed = await get(`${url}/1.0/cluster/members?recursion=1`, dispatcher)
    .then((answer) => membersSchema.parse(answer).metadata)
    .catch(() => [])
  const others = listed.map((member) => member.url).filter((other) => other !== url)
  const answers = await Promise.all(others.map((other) => lookAt(other, dispatcher).catch(() => null)))
  return others.filter((_, at) => answers[at]?.trusted === true)
}

async function get(url: string, dispatcher: Agent): Promise<unknown> {
  const answer = await request(url, { dispatcher, signal: AbortSignal.timeout(TIMEOUT) })
  return answer.body.json()
}

async function lookAt(url: string, dispatcher: Agent): Promise<Server> {
  const { metadata } = serverSchema.parse(await get(`${url}/1.0`, dispatcher))
  const { server: product, server_clustered: clustered = false } = metadata.environment ?? {}
  return { trusted: metadata.auth === 'trusted', product, clustered }
}

/** Null, or why not. */
async function post(url: string, token: string, dispatcher: Agent): Promise<string | null> {
  const answer = await request(`${url}/1.0/certificates`, {
    method: 'POST',
    body: JSON.stringify({ type: 'client', trust_token: token }),
    headers: { 'content-type': 'application/json' },
    ...{ dispatcher, signal: AbortSignal.timeout(TIMEOUT) },
  })
  const { error } = (await answer.body.json()) as { error?: string }
  return answer.statusCode === 201 ? null : error || `status ${answer.statusCode}`
}
