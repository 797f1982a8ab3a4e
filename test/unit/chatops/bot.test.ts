/** Bots edit what they have posted, where a command's own address can only add to it. */
import { describe, expect, test } from 'vitest'
import { place, type Sent } from '../../../functions/chatops/chat.ts'
import { createMattermost } from '../../../functions/chatops/mattermost.ts'
import type { Outgoing, Platform, ReplyTo } from '../../../functions/chatops/platform.ts'
import { createSlack } from '../../../functions/chatops/slack.ts'
import type { Message } from '../../../shared/chat/message.ts'
import { MattermostEndpoint } from '../../chat/mattermost-endpoint.ts'
import { SlackEndpoint } from '../../chat/slack-endpoint.ts'

const NOW = new Date('2026-11-23T03:00:00Z')
const now = () => NOW

const said = (headline: string, to: Message['to'] = 'channel'): Message => ({
  to,
  tone: 'info',
  headline: [headline],
  details: [],
  buttons: [],
})

type Side = {
  platform: Platform
  handle(request: Request): Promise<Response>
  reply(where: 'member' | 'stranger'): ReplyTo
  read(): { text: string; edits: number }[]
  violations: readonly string[]
}

const replyTo = (platform: 'slack' | 'mattermost', address: string, channel: string): ReplyTo => ({
  ...{ platform, address, channel, own: null, placed: false },
  ...{ until: '2026-11-23T03:30:00.000Z', uses: 5 },
})

function slack(): Side {
  const token = 'xoxb-1234567890-abcdef'
  const endpoint = new SlackEndpoint(now, { token, channels: ['C1'] })
  const options = { signingSecret: 'a-signing-secret-of-slack', channelUrl: null, botToken: token }
  return {
    platform: createSlack(options),
    handle: (request) => endpoint.handle(request),
    reply: (where) => replyTo('slack', endpoint.openCommand(), where === 'member' ? 'C1' : 'C2'),
    read: () => endpoint.messages,
    violations: endpoint.violations,
  }
}

function mattermost(): Side {
  const token = 'bbotbotbotbotbotbotbotbot1'
  const endpoint = new MattermostEndpoint(now, { token, channels: ['c1'] })
  const options = { tokens: ['a-token-of-the-command'], origin: endpoint.origin, channelUrl: null }
  return {
    platform: createMattermost({ ...options, botToken: token }),
    handle: (request) => endpoint.handle(request),
    reply: (where) => replyTo('mattermost', endpoint.openCommand(), where === 'member' ? 'c1' : 'c2'),
    read: () => endpoint.messages,
    violations: endpoint.violations,
  }
}

/** As `send` does, without a network. */
const sender =
  ({ handle }: Side) =>
  async ({ method, url, body, token }: Outgoing): Promise<Sent | null> => {
    const authorization: Record<string, string> =
      token === undefined ? {} : { authorization: `Bearer ${token}` }
    const headers = { 'content-type': 'application/json', ...authorization }
    const response = await handle(new Request(url, { method, headers, body: JSON.stringify(body) }))
    const answer: unknown = await response.json().catch(() => undefined)
    return response.ok ? { answer } : null
  }

const tellerOf = (side: Side) => ({
  platform: side.platform,
  now,
  origin: 'https://stapes.example.org',
  send: sender(side),
})

describe.each([
  ['Slack', slack],
  ['Mattermost', mattermost],
] as const)('the bot on %s', (_, open) => {
  test('edits the one message as often as there is news', async () => {
    const side = open()
    let reply: ReplyTo | null = side.reply('member')
    for (const news of ['one', 'two', 'three', 'four', 'five', 'six', 'seven'])
      reply = reply === null ? null : await place(said(news), reply, tellerOf(side))
    expect(side.read()).toMatchObject([{ text: 'seven', edits: 6 }])
    expect(reply).toMatchObject({ uses: 5 })
    expect(side.violations).toEqual([])
  })

  test('edits it long after the command’s own address is out of date', async () => {
    const side = open()
    const reply = await place(said('one'), side.reply('member'), tellerOf(side))
    const late = { ...tellerOf(side), now: () => new Date('2026-11-24T03:00:00Z') }
    expect(reply === null ? null : await place(said('two'), reply, late)).not.toBeNull()
    expect(side.read()).toMatchObject([{ text: 'two', edits: 1 }])
  })

  test('leaves a channel that it is no member of to the command’s own address, and asks once', async () => {
    const side = open()
    const reply = await place(said('one'), side.reply('stranger'), tellerOf(side))
    expect(side.read()).toMatchObject([{ text: 'one', edits: 0 }])
    expect(reply).toMatchObject({ uses: 4, channel: '', own: null })
    expect(side.violations).toEqual([])
  })

  test('leaves somebody else’s message to the command’s own address', async () => {
    const side = open()
    const own = side.platform.name === 'slack' ? '1790000000.999999' : 'pforeignpostforeignpostfor'
    const foreign = { ...side.reply('member'), own }
    await place(said('one'), foreign, tellerOf(side))
    expect(side.read().map(({ text }) => text)).toEqual(['one'])
  })

  test('never tells the channel what is for the caller', async () => {
    const side = open()
    await place(said('psst', 'caller'), side.reply('member'), tellerOf(side))
    expect(side.read()).toMatchObject([{ text: 'psst', to: 'caller' }])
  })
})

test('a token that is none is refused by the name of its secret', () => {
  const options = { signingSecret: 'a-signing-secret-of-slack', channelUrl: null, botToken: 'xoxp-1' }
  expect(() => createSlack(options)).toThrow('SLACK_BOT_TOKEN')
})
