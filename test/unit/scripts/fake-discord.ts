/** Discord's side of registering commands: checks the request as Discord does, and keeps what it was given. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkDiscordCommands } from '../command/discord-rules.ts'

export const APPLICATION = '123456789012345678'
export const GUILD = '876543210987654321'
export const TOKEN = 'bot-token'

type Reply = { status: number; headers?: Record<string, string>; body: unknown }

export type FakeDiscord = {
  api: string
  /** By path. */
  registered: Map<string, unknown>
  /** What the next request gets, whatever it is. */
  next: Reply | string | null
  close(): Promise<void>
}

export async function startDiscord(): Promise<FakeDiscord> {
  const server = createServer(async (request, response) => {
    const reply = fake.next ?? answer(request, await bodyOf(request), fake.registered)
    fake.next = null
    if (typeof reply === 'string') return response.writeHead(502).end(reply)
    const headers = { 'content-type': 'application/json', ...reply.headers }
    response.writeHead(reply.status, headers).end(JSON.stringify(reply.body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const fake: FakeDiscord = {
    api: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v10`,
    registered: new Map(),
    next: null,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
  return fake
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += chunk
  return body
}

const PATH = /^\/api\/v10\/applications\/(\d+)(?:\/guilds\/(\d+))?\/commands$/

function answer(
  { method, url = '', headers }: IncomingMessage,
  body: string,
  registered: Map<string, unknown>,
): Reply {
  const [, application, guild] = PATH.exec(url) ?? []
  if (method !== 'PUT' || application === undefined) return refuse(404, '404: Not Found')
  if (headers.authorization !== `Bot ${TOKEN}`) return refuse(401, '401: Unauthorized')
  if (!headers['user-agent']?.startsWith('DiscordBot (')) return refuse(403, 'error code: 1010')
  if (application !== APPLICATION) return refuse(404, 'Unknown Application', 10002)
  if (guild !== undefined && guild !== GUILD) return refuse(403, 'Missing Access', 50001)
  if (headers['content-type'] !== 'application/json') return refuse(400, 'Invalid Form Body', 50035)
  const commands: unknown = JSON.parse(body)
  const errors = checkDiscordCommands(commands)
  if (errors.length > 0) return { status: 400, body: { message: 'Invalid Form Body', code: 50035, errors } }
  registered.set(url, commands)
  return { status: 200, body: commands }
}

const refuse = (status: number, message: string, code = 0): Reply => ({ status, body: { message, code } })
