/** What `npm start` hands its Worker for chat, and that whoever sets it up is told all of it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { chatOf } from '../../../scripts/start/chat.ts'
import { commands } from '../../../shared/command/commands.ts'

const read = (file: string): string => readFileSync(join(import.meta.dirname, '../../..', file), 'utf8')

const ALL = {
  SLACK_SIGNING_SECRET: 'a',
  SLACK_CHANNEL_URL: 'b',
  SLACK_BOT_TOKEN: 'c',
  DISCORD_PUBLIC_KEY: 'd',
  DISCORD_APPLICATION_ID: 'e',
  DISCORD_CHANNEL_URL: 'f',
  MATTERMOST_TOKENS: 'g',
  MATTERMOST_URL: 'h',
  MATTERMOST_CHANNEL_URL: 'i',
  MATTERMOST_BOT_TOKEN: 'j',
}

describe('npm start', () => {
  test('hands on what chat takes, and nothing else of the environment', () => {
    const { secrets } = chatOf({ ...ALL, PATH: '/bin', DISCORD_BOT_TOKEN: 'for npm run discord alone' })
    expect(secrets).toEqual(ALL)
  })

  test('has no endpoints where nothing is set, or empty', () => {
    expect(chatOf({ SLACK_SIGNING_SECRET: '' })).toEqual({ secrets: {}, endpoints: [] })
  })

  test('tells which endpoint is set up, and what another lacks', () => {
    const { endpoints } = chatOf({ SLACK_SIGNING_SECRET: 'a', MATTERMOST_URL: 'h' })
    expect(endpoints).toEqual([
      { platform: 'slack', path: '/chat/slack', missing: [] },
      { platform: 'mattermost', path: '/chat/mattermost', missing: ['MATTERMOST_TOKENS'] },
    ])
  })
})

describe.each(['docs/chat.md', '.env.example'])('%s', (file) => {
  test('names every secret of chat', () => {
    const text = read(file)
    expect(Object.keys(ALL).filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([])
  })
})

test('docs/chat.md has a row for each command, with the role that it takes', () => {
  const rows = read('docs/chat.md').match(/^\| `.*$/gm) ?? []
  const lacking = commands.filter(({ name, role }) => {
    const row = rows.find((one) => new RegExp(`^\\| \`${name}[ \`]`).test(one))
    const takes = ['help', 'whoami'].includes(name) ? 'anybody' : role
    return row?.split('|')[2]?.trim().startsWith(takes) !== true
  })
  expect(lacking.map(({ name }) => name)).toEqual([])
})

test('README.md names each command', () => {
  const text = read('README.md')
  expect(commands.filter(({ name }) => !text.includes(`\`${name}\``)).map(({ name }) => name)).toEqual([])
})
