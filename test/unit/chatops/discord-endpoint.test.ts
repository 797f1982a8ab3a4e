import { beforeEach, describe, expect, test } from 'vitest'
import { createDiscord } from '../../../functions/chatops/discord.ts'
import type { Outgoing, Repliable } from '../../../functions/chatops/platform.ts'
import type { Message } from '../../../shared/chat/message.ts'
import { createDiscordEndpoint, type DiscordEndpoint } from '../../chat/discord-endpoint.ts'
import { alice, createDiscordApp, type Interaction } from '../../chat/discord-request.ts'
import { messages } from '../../golden/chatops/messages.ts'

const ORIGIN = 'https://stapes.example.org'
const channelUrl = 'https://discord.com/api/webhooks/4800000000000000001/abc-DEF_123'
const app = createDiscordApp()
const { publicKey, applicationId } = app
const discord = createDiscord({ publicKey, applicationId, channelUrl })

let now: Date
let endpoint: DiscordEndpoint

const pass = (seconds: number): void => {
  now = new Date(now.getTime() + seconds * 1000)
}

const send = async ({ method, url, body }: Outgoing): Promise<number> => {
  const headers = { 'content-type': 'application/json' }
  const response = await endpoint.handle(new Request(url, { method, headers, body: JSON.stringify(body) }))
  return response.status
}

async function begin(interaction: Interaction): Promise<Repliable> {
  endpoint.begin(interaction)
  const received = await discord.receive(app.request(interaction, now), now)
  if (!received.ok || !('reply' in received.value)) throw new Error('not an interaction to reply to')
  return received.value
}

/** As `discord.put` makes it, also where that would know that it is too late. */
const putting = ({ reply }: Repliable, message: Message = messages.progress): Outgoing => {
  const put = discord.put(message, reply, new Date(0), ORIGIN)
  if (put === null) throw new Error('no address')
  return put.outgoing
}

beforeEach(() => {
  now = new Date('2026-11-22T03:00:00Z')
  endpoint = createDiscordEndpoint({ applicationId, channelUrl, now: () => now })
})

describe('a conversation as stapes has it', () => {
  test('a deferred command shows that it works, then its answer, to its caller only', async () => {
    const asked = await begin(app.command(alice, 'status'))
    endpoint.reply(asked.reply.address, discord.later('caller', asked))
    expect(endpoint.shown()).toMatchObject([{ to: 'caller', content: null }])
    pass(10)
    expect(await send(putting(asked))).toBe(200)
    expect(endpoint.shown()).toMatchObject([
      { to: 'caller', content: 'Copying `web1` to **vault**: 42 %, 1.2 GB' },
    ])
    expect(endpoint.violations).toEqual([])
  })

  test('a press replaces the message with the button, at once and again later', async () => {
    const asked = await begin(app.command(alice, 'restore'))
    endpoint.reply(asked.reply.address, discord.say(messages.confirmation, asked, ORIGIN).answer)
    const [question] = endpoint.shown()
    expect(question?.buttons.map(({ label, danger }) => [label, danger])).toEqual([
      ['Confirm', true],
      ['Cancel', false],
    ])
    const pressed = await begin(app.press(alice, question?.buttons[0]?.token ?? '', question?.id))
    endpoint.reply(pressed.reply.address, discord.say(messages.progress, pressed, ORIGIN).answer)
    expect(endpoint.shown()).toMatchObject([{ to: 'channel', details: null, buttons: [] }])
    expect(await send(putting(pressed, messages.ended))).toBe(200)
    expect(endpoint.shown()).toMatchObject([
      { id: question?.id, content: 'The restore of `web1` failed', buttons: [] },
    ])
    expect(endpoint.violations).toEqual([])
  })

  test('a press that only its caller is told about leaves the message with the button', async () => {
    const asked = await begin(app.command(alice, 'restore'))
    endpoint.reply(asked.reply.address, discord.say(messages.confirmation, asked, ORIGIN).answer)
    const pressed = await begin(app.press(alice, 'AbC-1_2.confirm', endpoint.shown()[0]?.id))
    endpoint.reply(pressed.reply.address, discord.say(messages.read, pressed, ORIGIN).answer)
    expect(endpoint.shown()).toMatchObject([{ to: 'channel', buttons: [{}, {}] }, { to: 'caller' }])
    expect(endpoint.violations).toEqual([])
  })

  test('a deferred press is edited in its place', async () => {
    const asked = await begin(app.command(alice, 'restore'))
    endpoint.reply(asked.reply.address, discord.say(messages.confirmation, asked, ORIGIN).answer)
    const pressed = await begin(app.press(alice, 'AbC-1_2.confirm', endpoint.shown()[0]?.id))
    endpoint.reply(pressed.reply.address, discord.later('channel', pressed))
    expect(await send(putting(pressed))).toBe(200)
    expect(endpoint.shown()).toMatchObject([{ content: 'Copying `web1` to **vault**: 42 %, 1.2 GB' }])
    expect(endpoint.violations).toEqual([])
  })

  test('pings, completions and reports are taken', async () => {
    const ping = app.ping()
    endpoint.begin(ping)
    endpoint.reply(ping.token, discord.pong())
    const typing = app.complete(alice, 'restore', { instance: 'we' }, 'instance')
    endpoint.begin(typing)
    endpoint.reply(typing.token, discord.choose([{ name: 'web1', value: 'web1' }]))
    const posted = discord.post(messages.confirmation)
    expect(posted === null ? null : await send(posted)).toBe(200)
    expect(endpoint.shown()).toMatchObject([{ to: 'channel', buttons: [] }])
    expect(endpoint.violations).toEqual([])
  })
})

describe('what Discord refuses is refused here, and noted', () => {
  async function deferred(): Promise<Outgoing & { body: object }> {
    const asked = await begin(app.command(alice, 'status'))
    endpoint.reply(asked.reply.address, discord.later('caller', asked))
    const outgoing = putting(asked)
    return { ...outgoing, body: { ...(outgoing.body as object) } }
  }

  test('a first reply after three seconds, and every edit then', async () => {
    const asked = await begin(app.command(alice, 'status'))
    pass(3.1)
    endpoint.reply(asked.reply.address, discord.later('caller', asked))
    expect(await send(putting(asked))).toBe(404)
    expect(endpoint.violations).toEqual([
      'the first reply took more than 3 seconds',
      'the first reply came too late: the token is dead',
    ])
  })

  test('an edit that overtakes the first reply', async () => {
    const asked = await begin(app.command(alice, 'status'))
    expect(await send(putting(asked))).toBe(404)
    expect(endpoint.violations).toEqual(['an edit came before the first reply'])
  })

  test('an edit after 15 minutes', async () => {
    const put = await deferred()
    pass(15 * 60)
    expect(await send(put)).toBe(200)
    pass(1)
    expect(await send(put)).toBe(401)
    expect(endpoint.violations).toEqual(['the token is older than 15 minutes'])
  })

  test('a second first reply, and one to nothing', async () => {
    const asked = await begin(app.command(alice, 'status'))
    endpoint.reply(asked.reply.address, discord.later('caller', asked))
    endpoint.reply(asked.reply.address, discord.later('caller', asked))
    endpoint.reply('unknown', discord.pong())
    expect(endpoint.violations).toHaveLength(2)
  })

  test('the sixth request in two seconds', async () => {
    const put = await deferred()
    const statuses: number[] = []
    for (let index = 0; index < 6; index++) statuses.push(await send(put))
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429])
    pass(2)
    expect(await send(put)).toBe(200)
  })

  const button = { type: 2, style: 2, label: 'a', custom_id: 'x' }
  test.each([
    { name: 'flags in an edit', change: { flags: 64 } },
    { name: 'an unknown field', change: { text: 'x' } },
    { name: 'allowed mentions left out', change: { allowed_mentions: undefined } },
    { name: 'mentions allowed', change: { allowed_mentions: { parse: ['everyone'] } } },
    { name: 'nothing said', change: { content: '' } },
    { name: 'too much said', change: { content: 'x'.repeat(2001) } },
    { name: 'an endless embed', change: { embeds: [{ description: 'x'.repeat(4097), color: 1 }] } },
    { name: 'an empty embed', change: { embeds: [{ description: '', color: 1 }] } },
    { name: 'an empty row', change: { components: [{ type: 1, components: [] }] } },
    { name: 'six in a row', change: { components: [{ type: 1, components: Array(6).fill(button) }] } },
    { name: 'a token twice', change: { components: [{ type: 1, components: [button, button] }] } },
    {
      name: 'a long token',
      change: { components: [{ type: 1, components: [{ ...button, custom_id: 'x'.repeat(101) }] }] },
    },
  ])('$name', async ({ change }) => {
    const put = await deferred()
    expect(await send({ ...put, body: { ...put.body, ...change } })).toBe(400)
    expect(endpoint.violations).toHaveLength(1)
  })

  test.each([
    { name: 'another application', url: (url: string) => url.replace(applicationId, '1') },
    { name: 'an unknown token', url: (url: string) => url.replace('/messages', 'x/messages') },
    { name: 'another path', url: (url: string) => url.replace('@original', '1') },
    { name: 'a channel that is not ours', url: () => 'https://discord.com/api/webhooks/1/x?wait=true' },
  ])('$name', async ({ url }) => {
    const put = await deferred()
    expect(await send({ ...put, url: url(put.url) })).toBe(404)
    expect(endpoint.violations).toHaveLength(1)
  })

  test('a reply of the wrong type, with flags that a defer can’t have, or another status', () => {
    const replies = [
      { status: 200, body: { type: 7, data: {} } },
      { status: 200, body: { type: 5, data: { flags: 68 } } },
      { status: 202, body: { type: 5 } },
      { status: 200, body: { type: 8, data: { choices: [] } } },
    ]
    for (const answer of replies) {
      const asked = app.command(alice, 'status')
      endpoint.begin(asked)
      endpoint.reply(asked.token, answer)
    }
    expect(endpoint.violations).toHaveLength(replies.length)
    expect(endpoint.shown()).toEqual([])
  })

  test('a body that is no JSON', async () => {
    const headers = { 'content-type': 'application/json' }
    const response = await endpoint.handle(new Request(channelUrl, { method: 'POST', headers, body: '{' }))
    expect(response.status).toBe(400)
    expect(endpoint.violations).toEqual(['not JSON'])
  })

  test('more than 25 choices', () => {
    const typing = app.complete(alice, 'restore', { instance: 'we' }, 'instance')
    endpoint.begin(typing)
    const choices = Array.from({ length: 26 }, (_, index) => ({ name: `${index}`, value: `${index}` }))
    endpoint.reply(typing.token, { status: 200, body: { type: 8, data: { choices } } })
    expect(endpoint.violations).toHaveLength(1)
  })
})
