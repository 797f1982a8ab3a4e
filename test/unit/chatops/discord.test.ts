import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode } from '../../../functions/chatops/discord/decode.ts'
import { encode } from '../../../functions/chatops/discord/encode.ts'
import { createVerify } from '../../../functions/chatops/discord/verify.ts'
import { createDiscord } from '../../../functions/chatops/discord.ts'
import type { Incoming, Repliable } from '../../../functions/chatops/platform.ts'
import type { Message, Piece } from '../../../shared/chat/message.ts'
import { edit } from '../../chat/discord-body.ts'
import { alice, createDiscordApp, type Interaction } from '../../chat/discord-request.ts'
import { INJECTED, messages } from '../../golden/chatops/messages.ts'

const NOW = new Date('2026-11-22T03:00:00Z')
const CHANNEL = 'https://discord.com/api/webhooks/4800000000000000001/abc-DEF_123'
const ORIGIN = 'https://stapes.example.org'

const app = createDiscordApp()
const { publicKey, applicationId } = app
const discord = createDiscord({ publicKey, applicationId, channelUrl: CHANNEL })

const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000)
const statusOf = async (request: { headers: Headers; body: string }, now = NOW): Promise<number> => {
  const received = await discord.receive(request, now)
  return received.ok ? 200 : received.error.status
}
async function received(interaction: Interaction): Promise<Incoming> {
  const incoming = await discord.receive(app.request(interaction, NOW), NOW)
  if (!incoming.ok) throw new Error(incoming.error.reason)
  return incoming.value
}
const repliable = async (interaction: Interaction) => (await received(interaction)) as Repliable
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

describe('the signature', () => {
  test.each([
    {
      name: 'RFC 8032 test 1',
      key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      message: '',
      signature:
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    },
    {
      name: 'RFC 8032 test 2',
      key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      message: '72',
      signature:
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    },
    {
      name: 'RFC 8032 test 3',
      key: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      message: 'af82',
      signature:
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    },
  ])('holds for $name, and for no other message', async ({ key, message, signature }) => {
    const verify = createVerify(key)
    expect(await verify(signature, hex(message))).toBe(true)
    expect(await verify(signature.toUpperCase(), hex(message))).toBe(true)
    expect(await verify(signature, hex(`${message}00`))).toBe(false)
  })

  test('never holds for a key that is none', async () => {
    expect(await createVerify('00')('0'.repeat(128), hex(''))).toBe(false)
  })

  test('of our own application lets in', async () => {
    expect(await statusOf(app.request(app.ping(), NOW))).toBe(200)
  })

  const { headers, body } = app.request(app.ping(), NOW)
  const signature = headers.get('x-signature-ed25519') ?? ''
  const stamp = headers.get('x-signature-timestamp') ?? ''
  const signed = (changed: Record<string, string>): Headers =>
    new Headers({ 'x-signature-ed25519': signature, 'x-signature-timestamp': stamp, ...changed })

  test.each([
    { name: 'another body', headers: signed({}), body: body.replace('"type":1', '"type": 1') },
    { name: 'another timestamp', headers: signed({ 'x-signature-timestamp': String(+stamp + 1) }), body },
    { name: 'no headers', headers: new Headers(), body },
    { name: 'an empty signature', headers: signed({ 'x-signature-ed25519': '' }), body },
    { name: 'a short signature', headers: signed({ 'x-signature-ed25519': signature.slice(2) }), body },
    { name: 'a long signature', headers: signed({ 'x-signature-ed25519': `${signature}00` }), body },
    { name: 'half a byte more', headers: signed({ 'x-signature-ed25519': `${signature}0` }), body },
    { name: 'no hex', headers: signed({ 'x-signature-ed25519': `zz${signature.slice(2)}` }), body },
    { name: 'only zeros', headers: signed({ 'x-signature-ed25519': '0'.repeat(128) }), body },
    {
      name: 'two signatures',
      headers: signed({ 'x-signature-ed25519': `${signature}, ${signature}` }),
      body,
    },
    { name: 'a timestamp of words', headers: signed({ 'x-signature-timestamp': 'now' }), body },
    { name: 'a negative timestamp', headers: signed({ 'x-signature-timestamp': `-${stamp}` }), body },
    { name: 'no timestamp', headers: signed({ 'x-signature-timestamp': '' }), body },
    { name: 'another application’s key', ...createDiscordApp().request(app.ping(), NOW) },
  ])('with $name is answered with 401', async (request) => {
    expect(await statusOf(request)).toBe(401)
  })

  test.each([
    { seconds: 300, status: 200 },
    { seconds: 301, status: 401 },
    { seconds: -300, status: 200 },
    { seconds: -301, status: 401 },
  ])('that was made $seconds s before now gives $status', async ({ seconds, status }) => {
    expect(await statusOf(app.request(app.ping(), NOW), later(seconds))).toBe(status)
  })

  test.each(['1795316400.0', '0x6b025ab0', '+1795316400'])(
    'is refused with %s for a timestamp, though it is good and the moment is right',
    async (timestamp) => {
      expect(Math.abs(Number(timestamp) - NOW.getTime() / 1000)).toBeLessThan(300)
      expect(await statusOf(app.request(app.ping(), timestamp))).toBe(401)
    },
  )

  test('does not help an interaction of another application', async () => {
    const swapped = { ...app.command(alice, 'status'), application_id: '4000000000000000002' }
    const refused = await discord.receive(app.request(swapped, NOW), NOW)
    expect(refused).toMatchObject({ ok: false, error: { status: 401 } })
    expect(await statusOf(app.request({ ...app.ping(), application_id: '1' }, NOW))).toBe(401)
  })
})

describe('what is received', () => {
  const actor = {
    platform: 'discord',
    id: 'discord:4100000000000000001/4300000000000000001',
    principals: [
      'discord:4100000000000000001/4300000000000000001',
      'discord:4100000000000000001/@4400000000000000001',
      'discord:4100000000000000001/@4400000000000000002',
    ],
    user: '4300000000000000001',
    name: 'Alice',
    place: 'discord:4100000000000000001/4200000000000000001',
  }
  const reply = { platform: 'discord', until: '2026-11-22T03:14:30.000Z', uses: null, channel: '', own: null }

  test('a ping is answered with a pong', async () => {
    expect(await received(app.ping())).toEqual({ kind: 'ping' })
    expect(discord.pong()).toEqual({ status: 200, body: { type: 1 } })
  })

  test('a command brings its words, who asked, and where to answer', async () => {
    const sent = app.command(alice, 'run', { instances: 'web* db1', count: 3, force: true })
    expect(await received(sent)).toEqual({
      kind: 'command',
      id: sent.id,
      at: NOW,
      actor,
      words: { command: 'run', options: { instances: 'web* db1', count: '3', force: 'true' } },
      reply: { ...reply, address: sent.token, placed: false },
    })
  })

  test('a button brings its token and the message that it stands in', async () => {
    const sent = app.press(alice, 'AbC-1_2.confirm')
    expect(await received(sent)).toEqual({
      kind: 'press',
      id: sent.id,
      at: NOW,
      actor,
      token: 'AbC-1_2.confirm',
      reply: { ...reply, address: sent.token, placed: true },
    })
  })

  test('somebody typing brings what stands in that option, and the others', async () => {
    const sent = app.complete(alice, 'restore', { instance: 'web1', snapshot: 'au' }, 'snapshot')
    expect(await received(sent)).toEqual({
      kind: 'complete',
      actor,
      command: 'restore',
      option: 'snapshot',
      typed: 'au',
      options: { instance: 'web1' },
    })
  })

  test('in direct messages nobody has roles', async () => {
    const { actor } = await repliable(app.command({ ...alice, guild: null }, 'status'))
    expect(actor).toMatchObject({
      id: 'discord:@me/4300000000000000001',
      principals: ['discord:@me/4300000000000000001'],
      place: 'discord:@me/4200000000000000001',
    })
  })

  test('a long name is cut, at whole characters', async () => {
    const { actor } = await repliable(app.command({ ...alice, name: '𝒜'.repeat(100) }, 'status'))
    expect(actor.name).toBe('𝒜'.repeat(80))
  })

  test('an option called like a part of JavaScript is an option', async () => {
    const sent = JSON.stringify(app.command(alice, 'status', { key: 'x' })).replace('"key"', '"__proto__"')
    const incoming = decode(sent, NOW, applicationId)
    expect(JSON.stringify(incoming)).toContain('{"__proto__":"x"}')
  })

  const whole = app.command(alice, 'status')
  const data = (options: unknown, name = 'backup') => ({ data: { id: '1', type: 1, name, options } })
  test.each([
    { name: 'no JSON', body: '{' },
    { name: 'null', body: 'null' },
    { name: 'a modal', body: { ...whole, type: 5 } },
    { name: 'no type', body: { ...whole, type: undefined } },
    { name: 'another command', body: { ...whole, ...data([{ type: 1, name: 'status' }], 'restic') } },
    { name: 'no subcommand', body: { ...whole, ...data([]) } },
    {
      name: 'two subcommands',
      body: {
        ...whole,
        ...data([
          { type: 1, name: 'a' },
          { type: 1, name: 'b' },
        ]),
      },
    },
    { name: 'an option for a subcommand', body: { ...whole, ...data([{ type: 3, name: 'a', value: 'b' }]) } },
    {
      name: 'a value that is an object',
      body: { ...whole, ...data([{ type: 1, name: 'a', options: [{ name: 'x', value: {} }] }]) },
    },
    {
      name: 'a guild without a member',
      body: { ...whole, member: undefined, user: { id: '1', username: 'a' } },
    },
    { name: 'a member without a guild', body: { ...whole, guild_id: undefined } },
    { name: 'a guild that is a path', body: { ...whole, guild_id: '1/2' } },
    {
      name: 'a role that is a path',
      body: { ...whole, member: { user: { id: '1', username: 'a' }, roles: ['1/@2'] } },
    },
    { name: 'a token that climbs', body: { ...whole, token: '..' } },
    { name: 'a token that is a path', body: { ...whole, token: '../../users' } },
    { name: 'a token with a query', body: { ...whole, token: 'a?b' } },
    { name: 'an endless token', body: { ...whole, token: 'a'.repeat(501) } },
    {
      name: 'a menu for a button',
      body: { ...app.press(alice, 'x'), data: { component_type: 3, custom_id: 'x' } },
    },
    { name: 'a button without a token', body: app.press(alice, '') },
    { name: 'nothing typed', body: app.complete(alice, 'restore', { instance: 'we' }, 'snapshot') },
  ])('$name is answered with 400', async ({ body }) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    expect(await statusOf(app.request(text, NOW))).toBe(400)
  })

  test('never throws, whatever comes unsigned', async () => {
    const header = fc.oneof(fc.stringMatching(/^[ -~]*$/), fc.stringMatching(/^[0-9a-f]{128}$/))
    await fc.assert(
      fc.asyncProperty(header, header, fc.string({ unit: 'binary' }), async (signature, stamp, body) => {
        const headers = new Headers({ 'x-signature-ed25519': signature, 'x-signature-timestamp': stamp })
        expect(await statusOf({ headers, body })).toBe(401)
        headers.set('x-signature-timestamp', String(NOW.getTime() / 1000))
        expect(await statusOf({ headers, body })).toBe(401)
      }),
    )
  })

  test('never throws, whatever comes signed', async () => {
    const broken = fc
      .tuple(fc.constantFrom(...Object.keys(whole), 'data.name', 'member.user'), fc.jsonValue())
      .map(([path, value]) => {
        const [key = '', inner] = path.split('.')
        const old = whole[key]
        return { ...whole, [key]: inner === undefined ? value : { ...(old as object), [inner]: value } }
      })
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json(),
          broken.map(String),
          broken.map((one) => JSON.stringify(one)),
        ),
        async (body) => {
          expect([200, 400, 401]).toContain(await statusOf(app.request(body, NOW)))
        },
      ),
    )
  })
})

describe('what is sent', () => {
  const ended: Message = messages.ended
  const read: Message = messages.read

  test('a command is answered at once, to its caller or to all', async () => {
    const to = await repliable(app.command(alice, 'status'))
    const whole = { type: 4, data: { ...encode(read), flags: 64 } }
    expect(discord.say(read, to, ORIGIN)).toEqual({ answer: { status: 200, body: whole }, outgoing: null })
    expect(discord.say(ended, to, ORIGIN).answer.body).toEqual({ type: 4, data: encode(ended) })
  })

  test('a button’s message is replaced for all, and stays where only the caller is told', async () => {
    const to = await repliable(app.press(alice, 'x'))
    expect(discord.say(ended, to, ORIGIN).answer.body).toEqual({ type: 7, data: encode(ended) })
    expect(discord.say(read, to, ORIGIN).answer.body).toEqual({
      type: 4,
      data: { ...encode(read), flags: 64 },
    })
  })

  test('a replaced message loses buttons and details that the new one has not', () => {
    expect(encode(messages.progress)).toMatchObject({ components: [], embeds: [] })
  })

  test('who will see it is said by the acknowledgement', async () => {
    const command = await repliable(app.command(alice, 'status'))
    const press = await repliable(app.press(alice, 'x'))
    expect(discord.later('caller', command).body).toEqual({ type: 5, data: { flags: 64 } })
    expect(discord.later('channel', command).body).toEqual({ type: 5 })
    expect(discord.later('caller', press).body).toEqual({ type: 6 })
    expect(discord.later('channel', press).body).toEqual({ type: 6 })
  })

  test('a message is put by the interaction’s token, without flags, until that is out of date', async () => {
    const { reply } = await repliable(app.command(alice, 'status'))
    expect(discord.put(read, reply, later(14 * 60), ORIGIN)).toEqual({
      outgoing: {
        method: 'PATCH',
        url: `https://discord.com/api/v10/webhooks/${applicationId}/${reply.address}/messages/@original`,
        body: encode(read),
      },
      left: { ...reply, placed: true },
    })
    expect(discord.put(read, reply, later(14.5 * 60), ORIGIN)).toBeNull()
    expect(discord.put(read, { ...reply, uses: 0 }, NOW, ORIGIN)).toBeNull()
  })

  test.each([
    { url: CHANNEL, sent: `${CHANNEL}?wait=true` },
    { url: `${CHANNEL}?thread_id=12`, sent: `${CHANNEL}?thread_id=12&wait=true` },
  ])('a report goes to $url and waits for its saving, without buttons', ({ url, sent }) => {
    const posted = createDiscord({ publicKey, applicationId, channelUrl: url }).post(messages.confirmation)
    expect(posted).toMatchObject({ method: 'POST', url: sent })
    expect(Object.keys(posted?.body ?? {})).toEqual(['content', 'embeds', 'allowed_mentions'])
  })

  test('nothing is reported where no channel is configured', () => {
    expect(createDiscord({ publicKey, applicationId, channelUrl: null }).post(ended)).toBeNull()
  })

  test('choices are at most 25, and none is shortened to something else', () => {
    const many = Array.from({ length: 30 }, (_, index) => ({ name: `web${index}`, value: `web${index}` }))
    const choices = [{ name: 'long', value: 'x'.repeat(101) }, { name: '', value: 'x' }, ...many]
    expect(discord.choose(choices).body).toEqual({ type: 8, data: { choices: many.slice(0, 25) } })
  })
})

describe('the form of messages', () => {
  test.each(Object.entries(messages))('%s', async (name, message: Message) => {
    const golden = join(import.meta.dirname, '../../golden/chatops/discord', `${name}.json`)
    await expect(`${JSON.stringify(encode(message), null, 2)}\n`).toMatchFileSnapshot(golden)
    expect(edit.safeParse(encode(message)).error?.issues ?? []).toEqual([])
  })

  const piece: fc.Arbitrary<Piece> = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 3000 }),
    fc.string({ maxLength: 3000 }).map((code) => ({ code })),
    fc.string({ maxLength: 3000 }).map((strong) => ({ strong })),
    fc.constant<Piece>({ at: NOW.toISOString(), style: 'ago' }),
    fc.string().map((user) => ({ user })),
    fc.constantFrom(
      INJECTED,
      '`'.repeat(900),
      '\\'.repeat(2100),
      '@everyone'.repeat(500),
      'a://'.repeat(700),
    ),
  )
  const text = fc.array(piece, { maxLength: 6 })
  const lines = fc.array(text, { maxLength: 20 }).map((lines) => ({ kind: 'lines' as const, lines }))
  const code = fc.string({ maxLength: 6000 }).map((text) => ({ kind: 'code' as const, text }))
  const details = fc.array(fc.oneof(lines, code), { maxLength: 5 })

  test('is taken by Discord, whatever people wrote', () => {
    fc.assert(
      fc.property(text, details, (headline, details) => {
        const form = encode({ ...messages.ended, headline: ['stapes: ', ...headline], details })
        expect(edit.safeParse(form).error?.issues ?? []).toEqual([])
        const fences = form.embeds[0]?.description.match(/```/g) ?? []
        expect(fences.length % 2).toBe(0)
      }),
    )
  })

  const headlineOf = (...headline: Piece[]): string => encode({ ...messages.progress, headline }).content
  test.each<{ name: string; pieces: Piece[]; shown: string }>([
    {
      name: 'Markdown',
      pieces: ['*a* _b_ ~~c~~ ||d|| `e` \\'],
      shown: '\\*a\\* \\_b\\_ \\~\\~c\\~\\~ \\|\\|d\\|\\| \\`e\\` \\\\',
    },
    { name: 'a masked link', pieces: ['[x](https://e.example)'], shown: '\\[x\\]\\(https\\://e.example\\)' },
    { name: 'mentions', pieces: ['<@1> <@&2> <#3> @here'], shown: '\\<@1\\> \\<@&2\\> \\<#3\\> @\u200bhere' },
    { name: 'a heading', pieces: ['# big'], shown: '\\# big' },
    { name: 'small print', pieces: [' -# small'], shown: ' \\-# small' },
    { name: 'a numbered list', pieces: ['1. one'], shown: '1\\. one' },
    { name: 'a quote', pieces: ['> so'], shown: '\\> so' },
    { name: 'a dash within', pieces: ['web-1'], shown: 'web-1' },
    { name: 'a second line', pieces: ['a\n# b'], shown: 'a # b' },
    { name: 'a turned direction', pieces: ['a\u202eb'], shown: 'a b' },
    { name: 'code with a backtick', pieces: [{ code: 'a`*b*' }], shown: '`aˋ*b*`' },
    { name: 'two codes side by side', pieces: [{ code: 'a' }, { code: 'b' }], shown: '`a`\u200b`b`' },
    { name: 'strong with a star', pieces: [{ strong: 'a*' }], shown: '**a\\***' },
    {
      name: 'a moment ago',
      pieces: [{ at: '2026-11-22T03:00:00Z', style: 'ago' }],
      shown: '<t:1795316400:R>',
    },
    {
      name: 'a moment in full',
      pieces: [{ at: '2026-11-22T03:00:00Z', style: 'full' }],
      shown: '<t:1795316400:f>',
    },
    { name: 'a user', pieces: [{ user: '43' }], shown: '<@43>' },
    { name: 'a user of no number', pieces: [{ user: '&43' }], shown: '&43' },
  ])('shows $name as it was meant', ({ pieces, shown }) => {
    expect(headlineOf(...pieces)).toBe(shown)
  })

  test('a code block can’t be left from within', () => {
    const { embeds } = encode({
      ...messages.plan,
      details: [{ kind: 'code', text: 'a\n```\n@everyone ````' }],
    })
    expect(embeds[0]?.description).toBe('```\na\nˋˋˋ\n@everyone ˋˋˋ`\n```')
  })

  test('too much is cut at a line, and says so', () => {
    const { embeds } = encode({
      ...messages.plan,
      details: [{ kind: 'code', text: 'a line\n'.repeat(1000) }],
    })
    const description = embeds[0]?.description ?? ''
    expect(description.endsWith('\na line\na line\n```\n… and more')).toBe(true)
    expect(description.length).toBeGreaterThan(4080)
  })

  test('a headline of nearly 2,000 characters is cut where it must be, at whole characters', () => {
    for (let length = 985; length < 2005; length++)
      for (const headline of ['a', '*', '𝒜', '#'].map((one) => one.repeat(length))) {
        const { content } = encode({ ...messages.progress, headline: [headline] })
        expect(content.length).toBeLessThanOrEqual(2000)
        expect(content).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/)
      }
  })

  test('details of nearly 4,096 characters are cut where they must be, with all code blocks closed', () => {
    for (let length = 0; length < 200; length++) {
      const filling = {
        kind: 'lines' as const,
        lines: [...Array(4).fill(['x'.repeat(985)]), ['y'.repeat(length)]],
      }
      const code = { kind: 'code' as const, text: 'a\nb\nc' }
      for (const details of [[filling], [filling, code], [code, filling], [filling, filling]]) {
        const description = encode({ ...messages.plan, details }).embeds[0]?.description ?? ''
        expect(description.length).toBeLessThanOrEqual(4096)
        expect((description.match(/```/g) ?? []).length % 2).toBe(0)
      }
    }
  })

  test.each([
    { name: 'a long token', buttons: [{ label: 'a', token: 'x'.repeat(101), style: 'plain' as const }] },
    { name: 'an empty token', buttons: [{ label: 'a', token: '', style: 'plain' as const }] },
    { name: 'a token twice', buttons: Array(2).fill({ label: 'a', token: 'x', style: 'plain' as const }) },
  ])('a button with $name is a bug', ({ buttons }) => {
    expect(() => encode({ ...messages.ended, buttons })).toThrow('a token of its own of 1 to 100 characters')
  })

  test('six buttons stand in two rows', () => {
    const buttons = Array.from({ length: 6 }, (_, index) => ({
      label: 'a',
      token: `${index}`,
      style: 'plain' as const,
    }))
    expect(encode({ ...messages.ended, buttons }).components.map((row) => row.components.length)).toEqual([
      5, 1,
    ])
  })
})

describe('the configuration', () => {
  const good = { publicKey, applicationId, channelUrl: CHANNEL }
  test.each([
    { name: 'a short key', options: { publicKey: publicKey.slice(2) }, says: 'DISCORD_PUBLIC_KEY' },
    { name: 'a key of no hex', options: { publicKey: 'z'.repeat(64) }, says: 'DISCORD_PUBLIC_KEY' },
    { name: 'a key of zeros', options: { publicKey: '0'.repeat(64) }, says: 'DISCORD_PUBLIC_KEY' },
    { name: 'an id of words', options: { applicationId: 'stapes' }, says: 'DISCORD_APPLICATION_ID' },
    {
      name: 'another host',
      options: { channelUrl: 'https://discord.com.example/api/webhooks/1/a' },
      says: 'DISCORD_CHANNEL_URL',
    },
    {
      name: 'no TLS',
      options: { channelUrl: 'http://discord.com/api/webhooks/1/a' },
      says: 'DISCORD_CHANNEL_URL',
    },
    {
      name: 'another path',
      options: { channelUrl: 'https://discord.com/api/channels/1' },
      says: 'DISCORD_CHANNEL_URL',
    },
  ])('with $name is refused by the name of its secret', ({ options, says }) => {
    expect(() => createDiscord({ ...good, ...options })).toThrow(says)
  })
})

test('what people wrote can neither notify nor link', () => {
  const { content, embeds } = encode(messages.injected)
  // Within backticks Discord reads nothing.
  const outside = (text = '') => text.replace(/```[\s\S]*?```|`[^`\n]*`/g, '')
  for (const text of [outside(content), outside(embeds[0]?.description)]) {
    expect(text).toContain('everyone')
    expect(text).not.toMatch(/@everyone|(?<!\\)<|(?<!\\)\]|https?:\/\//)
  }
})
