/**
 * What the environment holds for chat platforms: the secrets that the Worker is given, and the endpoints that
 * they set up.
 */
import { NEEDED } from '../../functions/chatops/configure.ts'
import type { Env } from '../../functions/env.ts'

/** Discord's bot token is for `npm run discord` alone. */
const OPTIONAL = {
  slack: ['SLACK_CHANNEL_URL', 'SLACK_BOT_TOKEN'],
  discord: ['DISCORD_CHANNEL_URL'],
  mattermost: ['MATTERMOST_CHANNEL_URL', 'MATTERMOST_BOT_TOKEN'],
} as const satisfies Record<keyof typeof NEEDED, (keyof Env)[]>

const PLATFORMS = ['slack', 'discord', 'mattermost'] as const

export type Chat = {
  /** Those that are set, by name. */
  secrets: Record<string, string>
  /** Of the platforms with at least one secret. */
  endpoints: { platform: string; path: string; missing: string[] }[]
}

export function chatOf(environment: NodeJS.ProcessEnv): Chat {
  const platforms = PLATFORMS.map((platform) => {
    const needed = NEEDED[platform]
    const given = [...needed, ...OPTIONAL[platform]].flatMap((name): [string, string][] => {
      const value = environment[name] ?? ''
      return value === '' ? [] : [[name, value]]
    })
    const missing = needed.filter((name) => !given.some(([one]) => one === name))
    return { platform, path: `/chat/${platform}`, given, missing }
  })
  return {
    secrets: Object.fromEntries(platforms.flatMap(({ given }) => given)),
    endpoints: platforms
      .filter(({ given }) => given.length > 0)
      .map(({ platform, path, missing }) => ({ platform, path, missing })),
  }
}
