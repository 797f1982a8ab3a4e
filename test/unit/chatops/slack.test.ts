/** Slack: who is let in, what is read from it, and what is said, byte for byte. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Incoming, Repliable, ReplyTo } from '../../../functions/chatops/platform.ts'
import { createSlack } from '../../../functions/chatops/slack.ts'
import type { Message } from '../../../shared/chat/message.ts'
import { SlackEndpoint } from '../../chat/slack-endpoint.ts'
import { type ChatRequest, signatureOf, signed, slackCommand, slackPress } from '../../chat/slack-request.ts'
import { answered } from '../../chat/slack-shape.ts'
import { messages } from '../../golden/chatops/messages.ts'
import { assertTaken } from './any-message.ts'

const OFFICIAL = {
  signingSecret: '8f742231b10e8888abcd99yyyzzz85a5',
  timestamp: 1531420618,
  body: 'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
  signature: 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
}
const { signingSecret } = OFFICIAL
const WEBHOOK = 'https://hooks.slack.com/services/T1DC2JH3J/B1/secret'
const ORIGIN = 'https://stapes.example'

const slack = createSlack({ signingSecret, channelUrl: WEBHOOK })
const now = new Date('2026-11-22T03:00:00Z')
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000)
const caller = { signingSecret, at: now, responseUrl: 'https://hooks.slack.com/commands/T1/2/abc' }
const presser = { ...caller, responseUrl: 'https://hooks.slack.com/actions/T1/2/abc' }

const official = (changes: { timestamp?: string; signature?: string; body?: string } = {}): ChatRequest => ({
  headers: new Headers({
    'x-slack-request-timestamp': changes.timestamp ?? String(OFFICIAL.timestamp),
    'x-slack-signature': changes.signature ?? OFFICIAL.signature,
  }),
  body: changes.body ?? OFFICIAL.body,
})

const statusOf = async (request: ChatRequest, at = now): Promise<number> => {
  const received = await slack.receive(request, at)
  return received.ok ? 200 : received.error.status
}

async function receive(request: ChatRequest, at = now): Promise<Incoming> {
  const received = await slack.receive(request, at)
  if (!received.ok) throw new Error(received.error.reason)
  return received.value
}

async function repliable(request: ChatRequest): Promise<Repliable> {
  const incoming = await receive(request)
  if (!('reply' in incoming)) throw new Error(`a ${incoming.kind} has no reply`)
  return incoming
}

describe('who is let in', () => {
  const signedAt = new Date(OFFICIAL.timestamp * 1000)
  const atSeconds = (seconds: number) => new Date(signedAt.getTime() + seconds * 1000)

  test('the example of Slack’s own documentation', async () => {
    expect(await receive(official(), signedAt)).toEqual({
      kind: 'command',
      id: OFFICIAL.signature,
      at: signedAt,
      actor: {
        platform: 'slack',
        id: 'slack:T1DC2JH3J/U2CERLKJA',
        principals: ['slack:T1DC2JH3J/U2CERLKJA'],
        user: 'U2CERLKJA',
        name: 'roadrunner',
        place: 'slack:T1DC2JH3J/G8PSS9T3V',
      },
      words: { text: '' },
      reply: {
        platform: 'slack',
        address: 'https://hooks.slack.com/commands/T1DC2JH3J/397700885554/96rGlfmibIGlgcZRskXaIFfN',
        until: '2018-07-12T19:06:58.000Z',
        uses: 5,
        channel: 'G8PSS9T3V',
        own: null,
        placed: false,
      },
    })
  })

  const other = `v0=${'0'.repeat(64)}`
  test.each<[string, ChatRequest, Date]>([
    ['a tampered body', official({ body: OFFICIAL.body.replace('text=', 'text=x') }), signedAt],
    ['another signature', official({ signature: other }), signedAt],
    ['no version', official({ signature: OFFICIAL.signature.slice(3) }), signedAt],
    ['a signature cut short', official({ signature: OFFICIAL.signature.slice(0, -2) }), signedAt],
    ['no signature', official({ signature: '' }), signedAt],
    ['another timestamp', official({ timestamp: String(OFFICIAL.timestamp + 1) }), signedAt],
    ['a timestamp that is no number', official({ timestamp: 'NaN' }), signedAt],
    [
      'a signed timestamp that is no number',
      { headers: signatureOf(signingSecret, '1e9', 'a=b'), body: 'a=b' },
      new Date(1e12),
    ],
    ['no timestamp', official({ timestamp: '' }), signedAt],
    ['a timestamp of 301 s ago', official(), atSeconds(301)],
    ['a timestamp 301 s ahead', official(), atSeconds(-301)],
    [
      'swapped headers',
      official({ timestamp: OFFICIAL.signature, signature: String(OFFICIAL.timestamp) }),
      signedAt,
    ],
    ['another secret', slackCommand('', { ...caller, signingSecret: 'another-secret-another' }), now],
    ['nothing at all', { headers: new Headers(), body: '' }, now],
  ])('not %s', async (_, request, at) => {
    expect(await statusOf(request, at)).toBe(401)
  })

  test.each([300, -300])('a timestamp %i s away', async (seconds) => {
    expect(await statusOf(official(), atSeconds(seconds))).toBe(200)
  })

  test('the certificate check, which is not signed, and is answered with nothing', async () => {
    expect(await receive({ headers: new Headers(), body: 'ssl_check=1&token=x' })).toEqual({ kind: 'ping' })
    expect(slack.pong()).toEqual({ status: 200, body: null })
  })

  const resigned = (body: string): ChatRequest => ({
    headers: signatureOf(signingSecret, String(now.getTime() / 1000), body),
    body,
  })

  test.each([
    ['a broken percent', '&x=%zz'],
    ['broken UTF-8', '&x=%ff'],
    ['bytes that no form has', '&x=ü'],
    ['a field twice', '&text=other'],
    ['a payload as well', '&payload='],
    ['a payload that is no object', '&payload=%5B%5D'],
  ])('but not with %s', async (_, added) => {
    const { body } = slackCommand('text', caller)
    expect(await statusOf(resigned(body))).toBe(200)
    expect(await statusOf(resigned(`${body}${added}`))).toBe(400)
  })

  test('nor with nothing', async () => {
    expect(await statusOf(resigned(''))).toBe(400)
  })

  test.each([
    'http://hooks.slack.com/commands/a',
    'https://hooks.slack.com.evil.example/commands/a',
    'https://hooks.slack.com@evil.example/a',
    'https://user@hooks.slack.com/a',
    'https://hooks.slack.com:8443/a',
    'https://evil.example/https://hooks.slack.com/',
    'https://hooks.slack.com\\@evil.example/',
    'https://hooks.slack.com',
    '',
  ])('not to be answered at %j', async (responseUrl) => {
    expect(await statusOf(slackCommand('x', { ...caller, responseUrl }))).toBe(400)
    expect(await statusOf(slackPress('x', { ...caller, responseUrl }))).toBe(400)
  })

  test('whatever comes, nothing throws', async () => {
    const field = fc.oneof(
      fc.string(),
      fc.webUrl(),
      fc.json(),
      fc.constantFrom(caller.responseUrl, 'T1', 'block_actions'),
    )
    const fields = fc.dictionary(
      fc.constantFrom(
        'command',
        'text',
        'team_id',
        'channel_id',
        'user_id',
        'user_name',
        'response_url',
        'payload',
      ),
      field,
    )
    const headers = fc.dictionary(
      fc.constantFrom('x-slack-signature', 'x-slack-request-timestamp'),
      fc.stringMatching(/^[ -~]*$/),
    )
    await fc.assert(
      fc.asyncProperty(fields, headers, fc.string({ unit: 'binary' }), async (form, header, body) => {
        const unsigned = await slack.receive({ headers: new Headers(header), body }, now)
        expect(unsigned.ok || [400, 401].includes(unsigned.error.status)).toBe(true)
        const trusted = await slack.receive(signed({ signingSecret, at: now }, form), now)
        expect(trusted.ok || trusted.error.status).not.toBe(401)
      }),
    )
  })
})

describe('what is read', () => {
  test('the words of a command as they are', async () => {
    const command = await receive(slackCommand('restore web1  "a b" ü & <x>', caller))
    expect(command).toMatchObject({
      kind: 'command',
      words: { text: 'restore web1  "a b" ü & <x>' },
      at: now,
    })
  })

  test('a press, with the token of its button', async () => {
    expect(await receive(slackPress('AbC-1_2.confirm', presser))).toMatchObject({
      kind: 'press',
      token: 'AbC-1_2.confirm',
      actor: { id: 'slack:T1DC2JH3J/U2CERLKJA', name: 'anna', place: 'slack:T1DC2JH3J/C8PSS9T3V' },
      reply: { address: presser.responseUrl, until: '2026-11-22T03:30:00.000Z', uses: 5, placed: true },
    })
  })

  test('the organisation, where an app that is installed for all of it names no team', async () => {
    const fields = {
      command: '/backup',
      text: '',
      channel_id: 'C1',
      user_id: 'U1',
      user_name: 'a',
      response_url: caller.responseUrl,
    }
    const command = await receive(signed(caller, { ...fields, enterprise_id: 'E1' }))
    expect(command).toMatchObject({ actor: { id: 'slack:E1/U1', place: 'slack:E1/C1' } })
    const both = await receive(signed(caller, { ...fields, team_id: 'T1', enterprise_id: 'E1' }))
    expect(both).toMatchObject({ actor: { id: 'slack:T1/U1' } })
    expect(await statusOf(signed(caller, fields))).toBe(400)
  })

  test('of a long name its first 80 characters, and no id that would be two', async () => {
    expect(await receive(slackCommand('', { ...caller, name: 'n'.repeat(500) }))).toMatchObject({
      actor: { name: 'n'.repeat(80) },
    })
    expect(await statusOf(slackCommand('', { ...caller, user: 'U1/U2' }))).toBe(400)
    expect(await statusOf(slackCommand('x'.repeat(4001), caller))).toBe(400)
  })
})

describe('what is said', () => {
  test.each(Object.entries<Message>(messages))('%s', async (name, message) => {
    const { answer, outgoing } = slack.say(message, await repliable(slackCommand('', caller)), ORIGIN)
    expect(answered.safeParse(answer.body).error?.message).toBeUndefined()
    expect({ status: answer.status, outgoing }).toEqual({ status: 200, outgoing: null })
    await expect(`${JSON.stringify(answer.body, null, 2)}\n`).toMatchFileSnapshot(
      `../../golden/chatops/slack/${name}.json`,
    )
  })

  test('whatever is written, Slack takes it, and it neither notifies nor links', async () => {
    const endpoint = new SlackEndpoint(() => now)
    const piece = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'<>!@&*_~`|#^: \n\\aU') }),
      fc.constant('<!here>'),
      fc.constant('x'.repeat(4000)),
    )
    await assertTaken(piece, (message) => slack.post(message), endpoint)
    expect(endpoint.violations).toEqual([])
  })

  test('after a press: in the place of the message for the channel, beside it for the caller', async () => {
    const press = await repliable(slackPress('t', presser))
    const inPlace = slack.say(messages.ended, press, ORIGIN)
    expect(inPlace.answer).toEqual({ status: 200, body: null })
    expect(inPlace.outgoing).toMatchObject({
      method: 'POST',
      url: presser.responseUrl,
      body: { replace_original: true },
    })
    expect(slack.say(messages.read, press, ORIGIN).outgoing).toMatchObject({
      body: { replace_original: false, response_type: 'ephemeral' },
    })
  })

  test('in the place of another only where a button’s own message stands', async () => {
    const { reply: command } = await repliable(slackCommand('', caller))
    const { reply: press } = await repliable(slackPress('t', presser))
    const replaces = (reply: ReplyTo) => slack.put(messages.ended, reply, now, ORIGIN)?.outgoing.body
    expect(replaces(press)).toMatchObject({ replace_original: true })
    expect(replaces({ ...press, placed: false })).toMatchObject({ replace_original: false })
    expect(replaces({ ...command, placed: true })).toMatchObject({ replace_original: false })
  })

  test('acknowledged with nothing, or with the command for all to see', async () => {
    const command = await repliable(slackCommand('', caller))
    expect(slack.later('caller', command)).toEqual({ status: 200, body: null })
    expect(slack.later('channel', command)).toEqual({ status: 200, body: { response_type: 'in_channel' } })
    expect(slack.later('channel', await repliable(slackPress('t', presser)))).toEqual({
      status: 200,
      body: null,
    })
  })

  test('five times, for half an hour', async () => {
    let { reply } = await repliable(slackCommand('', caller))
    for (let use = 0; use < 5; use++) {
      const put = slack.put(messages.progress, reply, later(1799), ORIGIN)
      expect(put?.outgoing).toMatchObject({
        url: caller.responseUrl,
        body: { response_type: 'in_channel', replace_original: false },
      })
      reply = put?.left ?? reply
    }
    expect(reply.uses).toBe(0)
    expect(slack.put(messages.progress, reply, now, ORIGIN)).toBeNull()
    expect(slack.put(messages.progress, { ...reply, uses: 5 }, later(1800), ORIGIN)).toBeNull()
  })

  test('to the channel, where one is configured', () => {
    expect(slack.post(messages.ended)).toMatchObject({ method: 'POST', url: WEBHOOK })
    expect(createSlack({ signingSecret, channelUrl: null }).post(messages.ended)).toBeNull()
  })
})

test.each([
  ['SLACK_SIGNING_SECRET', { signingSecret: '', channelUrl: null }],
  ['SLACK_CHANNEL_URL', { signingSecret, channelUrl: 'https://hooks.slack.com.evil.example/services/a' }],
  ['SLACK_CHANNEL_URL', { signingSecret, channelUrl: 'http://hooks.slack.com/services/a' }],
])('a wrong %s is named', (name, options) => {
  expect(() => createSlack(options)).toThrow(name)
})
