/** The Worker's doors for the three platforms over a KV that counts, and people who knock. */
import { randomBytes } from 'node:crypto'
import { createApp } from '../../functions/app.ts'
import { createConfirmations } from '../../functions/chatops/confirmations.ts'
import type { Env } from '../../functions/env.ts'
import type { PlatformName } from '../../shared/chat/actor.ts'
import { commands } from '../../shared/command/commands.ts'
import { parseLine } from '../../shared/command/parse.ts'
import { CountingKv } from './counting-kv.ts'
import { createDiscordApp, type Interaction, type Person } from './discord-request.ts'
import { mattermostCommand, mattermostPress } from './mattermost-request.ts'
import { type ChatRequest, slackCommand, slackPress } from './slack-request.ts'

/** Where somebody is, and who: ids of that platform. */
export type Knocker = { team: string; channel: string; user: string }

export type Doors = {
  kv: CountingKv
  env: Env
  now: Date
  /** Its answer, after everything that it began has ended. */
  command(platform: PlatformName, line: string, by: Knocker): Promise<Response>
  press(platform: PlatformName, token: string, by: Knocker): Promise<Response>
  complete(by: Knocker): Promise<Response>
  api(path: string, init?: RequestInit): Promise<Response>
  /** A real button of a plan that waits, as everybody in the channel sees it. */
  button(platform: PlatformName, by: Knocker): Promise<string>
}

const SIGNING_SECRET = randomBytes(16).toString('hex')
const TOKEN = 'tokentokentokentokentoken1'
/** Of all doors, for the relay behind them. */
export const RELAY_SECRET = randomBytes(32)
const RELAY_KEY = RELAY_SECRET.toString('base64')
const ORIGIN = 'https://mattermost.example.org'

/** Of all doors: an isolate remembers the ids that it has seen. */
let triggers = 0

/** `relay`: answers in the relay's place. */
export function openDoors(now: Date, relay: (request: Request) => Promise<Response>): Doors {
  const kv = new CountingKv()
  const app = createDiscordApp()
  const env = {
    STATE: kv.binding(),
    RELAY: { fetch: (input: RequestInfo, init?: RequestInit) => relay(new Request(input, init)) },
    ...{ RELAY_URL: 'http://relay', RELAY_KEY_ID: 'k', RELAY_KEY, STAPES_TOKEN: 'token' },
    SLACK_SIGNING_SECRET: SIGNING_SECRET,
    ...{ DISCORD_PUBLIC_KEY: app.publicKey, DISCORD_APPLICATION_ID: app.applicationId },
    ...{ MATTERMOST_TOKENS: TOKEN, MATTERMOST_URL: ORIGIN },
  } as unknown as Env
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const work: Promise<unknown>[] = []
    const context = { waitUntil: (one: Promise<unknown>) => work.push(one), passThroughOnException() {} }
    const worker = createApp(() => doors.now)
    const response = await worker.request(path, init, env, context as unknown as ExecutionContext)
    await Promise.all(work)
    return response
  }
  const knock = (path: string, { headers, body }: ChatRequest) =>
    send(path, { method: 'POST', headers, body })
  const person = ({ team, channel, user }: Knocker): Person => ({
    ...{ guild: team, channel, user, roles: [], name: 'Somebody' },
  })
  const discord = (interaction: Interaction) => {
    const id = String(4500000000000000000n + BigInt(++triggers))
    return knock('/chat/discord', app.request({ ...interaction, id }, doors.now))
  }
  const trigger = () => `trigger${++triggers}`
  const doors: Doors = {
    ...{ kv, env, now },
    command(platform, line, by) {
      if (platform === 'discord') return discord(menu(app, person(by), line))
      const caller = { ...by, name: 'somebody' }
      if (platform === 'slack') {
        // The same line twice within a second is signed with a number of its own.
        const responseUrl = `https://hooks.slack.com/commands/T1/${++triggers}/x`
        const given = { signingSecret: SIGNING_SECRET, at: doors.now, responseUrl, ...caller }
        return knock('/chat/slack', slackCommand(line, given))
      }
      const own = { token: TOKEN, trigger: trigger(), responseUrl: `${ORIGIN}/hooks/commands/x` }
      return knock('/chat/mattermost', mattermostCommand(line, { ...caller, ...own }))
    },
    press(platform, token, by) {
      if (platform === 'discord') return discord(app.press(person(by), token))
      if (platform === 'slack') {
        const responseUrl = `https://hooks.slack.com/actions/T1/${++triggers}/x`
        const given = { signingSecret: SIGNING_SECRET, at: doors.now, responseUrl, ...by }
        return knock('/chat/slack', slackPress(token, given))
      }
      return knock('/chat/mattermost/press', mattermostPress({ token }, { ...by, trigger: trigger() }))
    },
    complete: (by) => discord(app.complete(person(by), 'now', { instances: 'w' }, 'instances')),
    api: (path, init = {}) => send(path, { ...init, headers: { authorization: 'Bearer token' } }),
    async button(platform, { team, channel }) {
      const until = new Date(doors.now.getTime() + 300_000)
      const place = `${platform}:${team}/${channel}`
      const confirmations = await createConfirmations(RELAY_KEY)
      return confirmations.issue({ verb: 'confirm', id: 'plan', digest: 'AAAAAAAAAAA', until, place })
    },
  }
  return doors
}

function menu(app: ReturnType<typeof createDiscordApp>, person: Person, line: string): Interaction {
  const parsed = parseLine(line, commands)
  if (parsed.ok) return app.command(person, parsed.value.command.name, { ...parsed.value.values })
  return app.command(person, line.split(' ')[0] ?? '', {})
}
