/** The three platforms behind one face: people who type and press, and the strict stand-ins that show them what came. */
import { randomBytes } from 'node:crypto'
import type { PlatformName } from '../../shared/chat/actor.ts'
import { commands } from '../../shared/command/commands.ts'
import { parseLine } from '../../shared/command/parse.ts'
import { createDiscordEndpoint } from '../chat/discord-endpoint.ts'
import { createDiscordApp, type Interaction, type Person } from '../chat/discord-request.ts'
import { MattermostEndpoint } from '../chat/mattermost-endpoint.ts'
import { mattermostCommand, mattermostPress } from '../chat/mattermost-request.ts'
import { SlackEndpoint } from '../chat/slack-endpoint.ts'
import { type ChatRequest, slackCommand, slackPress } from '../chat/slack-request.ts'
import { CHANNELS, type PersonName, TEAMS, userOf } from './chat-people.ts'

export type Button = { label: string; token: string }

/** `elsewhere`: in that channel. `forged`: with that in the place of its token. */
export type Guise = { elsewhere?: string; forged?: string }

/** What people see now. */
export type Shown = { to: 'caller' | 'channel'; text: string; buttons: Button[] }

/** A request on its way to the Worker, and whoever waits for its answer. */
export type Sent = { path: string; request: ChatRequest; take(status: number, body: unknown): void }

type Side = {
  secrets: Record<string, string>
  /** Where the platform answers. */
  origin: string
  handle(request: Request): Promise<Response>
  command(text: string, who: PersonName): Sent
  /** The button of that token, whether or not it is still shown. */
  press(token: string, who: PersonName, guise?: Guise): Sent
  /** Oldest first; without what only says that something is being done. */
  shown(): Shown[]
  violations: string[]
}

export const openSides = (now: () => Date): Record<PlatformName, Side> => ({
  slack: openSlack(now),
  discord: openDiscord(now),
  mattermost: openMattermost(now),
})

function openSlack(now: () => Date): Side {
  const endpoint = new SlackEndpoint(now)
  const signingSecret = randomBytes(16).toString('hex')
  /** Of buttons that aren't shown any more as well. */
  const stood = new Map<string, (typeof endpoint.messages)[number]>()
  const caller = (who: PersonName, responseUrl: string) => ({
    ...{ signingSecret, at: new Date(), responseUrl },
    ...{ team: TEAMS.slack, user: userOf('slack', who), name: who },
  })
  const shown = () => {
    for (const message of endpoint.messages)
      for (const { value } of message.buttons) stood.set(value, message)
    return endpoint.messages.map(({ to, text, buttons }) => ({
      ...{ to, text },
      buttons: buttons.map(({ label, value }) => ({ label, token: value })),
    }))
  }
  return {
    secrets: { SLACK_SIGNING_SECRET: signingSecret, SLACK_CHANNEL_URL: endpoint.webhook },
    origin: 'https://hooks.slack.com',
    handle: (request) => endpoint.handle(request),
    violations: endpoint.violations,
    shown,
    command: (text, who) => ({
      path: '/chat/slack',
      request: slackCommand(text, caller(who, endpoint.openCommand())),
      take: (status, body) => endpoint.answer(status, body),
    }),
    press(token, who, { elsewhere, forged = token } = {}) {
      shown()
      const message = stood.get(token)
      if (message === undefined) throw new Error('no such button was ever shown')
      const where = elsewhere === undefined ? {} : { channel: elsewhere }
      return {
        path: '/chat/slack',
        request: slackPress(forged, { ...caller(who, endpoint.openPress(message)), ...where }),
        take(status, body) {
          if (status !== 200 || body !== null)
            endpoint.violations.push(`a press was answered with ${status} ${JSON.stringify(body)}`)
        },
      }
    },
  }
}

function openDiscord(now: () => Date): Side {
  const app = createDiscordApp()
  const channelUrl = 'https://discord.com/api/webhooks/4800000000000000001/secret'
  const endpoint = createDiscordEndpoint({ applicationId: app.applicationId, channelUrl, now })
  const stood = new Map<string, string>()
  const person = (who: PersonName, channel = CHANNELS.discord): Person => ({
    ...{ guild: TEAMS.discord, channel, user: userOf('discord', who), roles: [], name: who },
  })
  const shown = () => {
    const messages = endpoint.shown()
    for (const { id, buttons } of messages) for (const { token } of buttons) stood.set(token, id)
    return messages.flatMap(({ to, content, details, buttons }) =>
      content === null
        ? []
        : [
            {
              to,
              text: details === null ? content : `${content}\n${details}`,
              buttons: buttons.map(({ label, token }) => ({ label, token })),
            },
          ],
    )
  }
  const send = (interaction: Interaction): Sent => {
    endpoint.begin(interaction)
    return {
      path: '/chat/discord',
      request: app.request(interaction, new Date()),
      take: (status, body) => endpoint.reply(interaction.token, { status, body }),
    }
  }
  return {
    secrets: {
      DISCORD_PUBLIC_KEY: app.publicKey,
      DISCORD_APPLICATION_ID: app.applicationId,
      DISCORD_CHANNEL_URL: channelUrl,
    },
    origin: 'https://discord.com',
    handle: endpoint.handle,
    violations: endpoint.violations,
    shown,
    command(text, who) {
      const { name, options } = optionsOf(text)
      return send(app.command(person(who), name, options))
    },
    press(token, who, { elsewhere, forged = token } = {}) {
      shown()
      const message = stood.get(token)
      if (message === undefined) throw new Error('no such button was ever shown')
      return send(app.press(person(who, elsewhere), forged, message))
    },
  }
}

/** What Discord's own menus make of it. */
function optionsOf(text: string): { name: string; options: Record<string, string> } {
  const parsed = parseLine(text, commands)
  if (!parsed.ok) throw new Error(`nobody can choose that from a menu: ${parsed.error.text}`)
  return { name: parsed.value.command.name, options: { ...parsed.value.values } }
}

const ACKNOWLEDGED = ['Looking…', 'Working on it…']

function openMattermost(now: () => Date): Side {
  const endpoint = new MattermostEndpoint(now)
  const token = randomBytes(13).toString('hex')
  const stood = new Map<string, { message: (typeof endpoint.messages)[number]; context: unknown }>()
  let triggers = 0
  const caller = (who: PersonName) => ({
    ...{ trigger: `trigger${++triggers}of${token}`, team: TEAMS.mattermost },
    ...{ user: userOf('mattermost', who), name: who },
  })
  const shown = () => {
    for (const message of endpoint.messages)
      for (const { context } of message.buttons) stood.set(tokenOf(context), { message, context })
    return endpoint.messages
      .filter(({ text }) => !ACKNOWLEDGED.includes(text))
      .map(({ to, text, buttons }) => ({
        ...{ to, text },
        buttons: buttons.map(({ label, context }) => ({ label, token: tokenOf(context) })),
      }))
  }
  return {
    secrets: {
      MATTERMOST_TOKENS: token,
      MATTERMOST_URL: endpoint.origin,
      MATTERMOST_CHANNEL_URL: endpoint.webhook,
    },
    origin: endpoint.origin,
    handle: (request) => endpoint.handle(request),
    violations: endpoint.violations,
    shown,
    command: (text, who) => ({
      path: '/chat/mattermost',
      request: mattermostCommand(text, { ...caller(who), token, responseUrl: endpoint.openCommand() }),
      take: (status, body) => endpoint.answer(status, body),
    }),
    press(pressed, who, { elsewhere, forged = pressed } = {}) {
      shown()
      const found = stood.get(pressed)
      if (found === undefined) throw new Error('no such button was ever shown')
      const where = elsewhere === undefined ? {} : { channel: elsewhere }
      return {
        path: '/chat/mattermost/press',
        request: mattermostPress(
          { ...(found.context as object), token: forged },
          { ...caller(who), ...where },
        ),
        take: (status, body) => endpoint.answerPress(found.message, status, body),
      }
    },
  }
}

const tokenOf = (context: unknown): string => (context as { token: string }).token
