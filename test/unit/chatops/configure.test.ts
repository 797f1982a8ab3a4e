/** Which platforms there are hangs on secrets, each on its own. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { platformsOf } from '../../../functions/chatops/configure.ts'
import type { Env } from '../../../functions/env.ts'

const SLACK = { SLACK_SIGNING_SECRET: 'a-signing-secret-of-slack' }
const MATTERMOST = {
  MATTERMOST_TOKENS: 'the-first-teams-token, the-second-teams-token',
  MATTERMOST_URL: 'https://mattermost.example.org',
}
const DISCORD = {
  DISCORD_PUBLIC_KEY: '0123456789abcdef'.repeat(4),
  DISCORD_APPLICATION_ID: '123456789012345678',
}

const namesOf = (secrets: Partial<Env>): string[] => Object.keys(platformsOf(secrets as Env))

const log = vi.spyOn(console, 'error')
beforeEach(() => log.mockReset().mockReturnValue())
afterEach(() => log.mockReset())

test.each<[string, Partial<Env>, string[]]>([
  ['none of them', {}, []],
  ['all of them', { ...SLACK, ...MATTERMOST, ...DISCORD }, ['slack', 'discord', 'mattermost']],
  ['half of Discord', { ...SLACK, DISCORD_PUBLIC_KEY: DISCORD.DISCORD_PUBLIC_KEY }, ['slack']],
  ['an empty secret', { SLACK_SIGNING_SECRET: '', ...MATTERMOST }, ['mattermost']],
])('%s', (_, secrets, names) => {
  expect(namesOf(secrets)).toEqual(names)
  expect(log).not.toHaveBeenCalled()
})

test('a secret that is not of its form shuts its own platform, and the log names it without its value', () => {
  const broken = { ...SLACK, ...MATTERMOST, ...DISCORD, DISCORD_PUBLIC_KEY: 'not-a-key' }
  expect(namesOf(broken)).toEqual(['slack', 'mattermost'])
  const logged = log.mock.calls.flat().join('\n')
  expect(logged).toContain('DISCORD_PUBLIC_KEY')
  expect(logged).not.toContain('not-a-key')
})

test('a secret that was changed is used at once', () => {
  expect(namesOf(SLACK)).toEqual(['slack'])
  expect(namesOf({ SLACK_SIGNING_SECRET: 'short' })).toEqual([])
})
