/** The platforms that secrets are set for. */
import type { PlatformName } from '../../shared/chat/actor.ts'
import type { Env } from '../env.ts'
import { createDiscord } from './discord.ts'
import { createMattermost } from './mattermost.ts'
import type { Platform } from './platform.ts'
import { createSlack } from './slack.ts'

export type Platforms = { [Name in PlatformName]?: Platform }

/** The required secrets of each platform. */
export const NEEDED = {
  slack: ['SLACK_SIGNING_SECRET'],
  discord: ['DISCORD_PUBLIC_KEY', 'DISCORD_APPLICATION_ID'],
  mattermost: ['MATTERMOST_TOKENS', 'MATTERMOST_URL'],
} as const satisfies Record<PlatformName, (keyof Env)[]>

let known: { of: string; made: Platforms } | null = null

const OPTIONAL = [
  'SLACK_CHANNEL_URL',
  'SLACK_BOT_TOKEN',
  'DISCORD_CHANNEL_URL',
  'MATTERMOST_CHANNEL_URL',
  'MATTERMOST_BOT_TOKEN',
] as const satisfies (keyof Env)[]

/** A platform with malformed secrets is left out, and the log names them. */
export function platformsOf(env: Env): Platforms {
  const names = [...Object.values(NEEDED).flat(), ...OPTIONAL]
  const of = JSON.stringify(names.map((name) => env[name] ?? ''))
  if (known?.of !== of) known = { of, made: make(env) }
  return known.made
}

const given = (text: string | undefined): string | null => (text === undefined || text === '' ? null : text)

const make = (env: Env): Platforms => ({
  ...attempt('slack', () => slackOf(env)),
  ...attempt('discord', () => discordOf(env)),
  ...attempt('mattermost', () => mattermostOf(env)),
})

function attempt(name: PlatformName, create: () => Platform | null): Platforms {
  try {
    const platform = create()
    return platform === null ? {} : { [name]: platform }
  } catch (cause) {
    console.error(JSON.stringify({ at: 'chat', platform: name, error: String(cause) }))
    return {}
  }
}

function slackOf(env: Env): Platform | null {
  const signingSecret = given(env.SLACK_SIGNING_SECRET)
  if (signingSecret === null) return null
  const channelUrl = given(env.SLACK_CHANNEL_URL)
  return createSlack({ signingSecret, channelUrl, botToken: given(env.SLACK_BOT_TOKEN) })
}

function discordOf(env: Env): Platform | null {
  const publicKey = given(env.DISCORD_PUBLIC_KEY)
  const applicationId = given(env.DISCORD_APPLICATION_ID)
  if (publicKey === null || applicationId === null) return null
  return createDiscord({ publicKey, applicationId, channelUrl: given(env.DISCORD_CHANNEL_URL) })
}

function mattermostOf(env: Env): Platform | null {
  const tokens = (env.MATTERMOST_TOKENS ?? '').split(/[\s,]+/).filter((token) => token !== '')
  const origin = given(env.MATTERMOST_URL)
  if (tokens.length === 0 || origin === null) return null
  const channelUrl = given(env.MATTERMOST_CHANNEL_URL)
  return createMattermost({ tokens, origin, channelUrl, botToken: given(env.MATTERMOST_BOT_TOKEN) })
}
