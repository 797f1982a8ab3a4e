/** The platforms that secrets are set for. */
import type { PlatformName } from '../../shared/chat/actor.ts'
import type { Env } from '../env.ts'
import { createDiscord } from './discord.ts'
import { createMattermost } from './mattermost.ts'
import type { Platform } from './platform.ts'
import { createSlack } from './slack.ts'

export type Platforms = { [Name in PlatformName]?: Platform }

/** What each platform can't do without. */
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

/** Throws when a secret is not of its form, with the name of it. */
export function platformsOf(env: Env): Platforms {
  const names = [...Object.values(NEEDED).flat(), ...OPTIONAL]
  const of = JSON.stringify(names.map((name) => env[name] ?? ''))
  if (known?.of !== of) known = { of, made: make(env) }
  return known.made
}

const given = (text: string | undefined): string | null => (text === undefined || text === '' ? null : text)

function make(env: Env): Platforms {
  const platforms: Platforms = {}
  const signingSecret = given(env.SLACK_SIGNING_SECRET)
  if (signingSecret !== null)
    platforms.slack = createSlack({
      signingSecret,
      channelUrl: given(env.SLACK_CHANNEL_URL),
      botToken: given(env.SLACK_BOT_TOKEN),
    })
  const publicKey = given(env.DISCORD_PUBLIC_KEY)
  const applicationId = given(env.DISCORD_APPLICATION_ID)
  if (publicKey !== null && applicationId !== null) {
    const channelUrl = given(env.DISCORD_CHANNEL_URL)
    platforms.discord = createDiscord({ publicKey, applicationId, channelUrl })
  }
  const tokens = (env.MATTERMOST_TOKENS ?? '').split(/[\s,]+/).filter((token) => token !== '')
  const origin = given(env.MATTERMOST_URL)
  if (tokens.length > 0 && origin !== null) {
    const channelUrl = given(env.MATTERMOST_CHANNEL_URL)
    const botToken = given(env.MATTERMOST_BOT_TOKEN)
    platforms.mattermost = createMattermost({ tokens, origin, channelUrl, botToken })
  }
  return platforms
}
