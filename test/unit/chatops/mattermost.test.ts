/** Mattermost: whose tokens are taken, what is read, and what is said, byte for byte. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMattermost } from '../../../functions/chatops/mattermost.ts'
import type { Incoming, Repliable } from '../../../functions/chatops/platform.ts'
import type { Message } from '../../../shared/chat/message.ts'
import { MattermostEndpoint } from '../../chat/mattermost-endpoint.ts'
import { mattermostCommand, mattermostPress } from '../../chat/mattermost-request.ts'
import { pressed, responded } from '../../chat/mattermost-shape.ts'
import type { ChatRequest } from '../../chat/slack-request.ts'
import { messages } from '../../golden/chatops/messages.ts'
import { assertTaken } from './any-message.ts'

const TOKENS = ['ttokentokentokentokentoke1', 'ttokentokentokentokentoke2']
const [token = ''] = TOKENS
const SITE = 'https://mattermost.example.org'
const WEBHOOK = `${SITE}/hooks/wwebhookwebhookwebhookweb1`
const ORIGIN = 'https://stapes.example'

const mattermost = createMattermost({ tokens: TOKENS, origin: `${SITE}/`, channelUrl: WEBHOOK })
const now = new Date('2026-11-22T03:00:00Z')
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000)
const caller = { trigger: 'trigger1', token, responseUrl: `${SITE}/hooks/commands/hook1` }

const statusOf = async (request: ChatRequest): Promise<number> => {
  const received = await mattermost.receive(request, now)
  return received.ok ? 200 : received.error.status
}

async function receive(request: ChatRequest): Promise<Incoming> {
  const received = await mattermost.receive(request, now)
  if (!received.ok) throw new Error(received.error.reason)
  return received.value
}

async function repliable(request: ChatRequest): Promise<Repliable> {
  const incoming = await receive(request)
  if (!('reply' in incoming)) throw new Error(`a ${incoming.kind} has no reply`)
  return incoming
}

const without = ({ headers, body }: ChatRequest, header: string): ChatRequest => {
  const left = new Headers(headers)
  left.delete(header)
  return { headers: left, body }
}

describe('who is let in', () => {
  test.each(TOKENS)('whoever brings the token %s', async (each) => {
    expect(await statusOf(mattermostCommand('', { ...caller, token: each }))).toBe(200)
  })

  test('also in the form alone, or with a header that is about something else', async () => {
    const command = without(mattermostCommand('', caller), 'authorization')
    expect(await statusOf(command)).toBe(200)
    command.headers.set('authorization', 'Bearer of-an-outgoing-connection')
    expect(await statusOf(command)).toBe(200)
  })

  test.each<[string, ChatRequest]>([
    ['another token', mattermostCommand('', { ...caller, token: 'another' })],
    ['an empty token', without(mattermostCommand('', { ...caller, token: '' }), 'authorization')],
    ['a part of a token', mattermostCommand('', { ...caller, token: token.slice(0, -1) })],
    ['all tokens together', mattermostCommand('', { ...caller, token: TOKENS.join(',') })],
    ['no form', { headers: new Headers(), body: '' }],
    ['a broken form without a token', { headers: new Headers(), body: 'token=%ff' }],
  ])('not %s', async (_, request) => {
    expect(await statusOf(request)).toBe(401)
  })

  test.each([
    ['a broken percent', '&x=%zz'],
    ['broken UTF-8', '&x=%ff'],
    ['bytes that no form has', '&x=ü'],
    ['a field twice', '&text=other'],
  ])('but not with %s', async (_, added) => {
    const { headers, body } = mattermostCommand('text', caller)
    expect(await statusOf({ headers, body })).toBe(200)
    expect(await statusOf({ headers, body: `${body}${added}` })).toBe(400)
  })

  test('nor with nothing but a token', async () => {
    expect(await statusOf({ headers: new Headers({ authorization: `Token ${token}` }), body: '' })).toBe(400)
  })

  test.each([
    'https://evil.example/hooks/commands/a',
    `${SITE}.evil.example/hooks/commands/a`,
    `${SITE}@evil.example/hooks/commands/a`,
    `${SITE}:8443/hooks/commands/a`,
    'http://mattermost.example.org/hooks/commands/a',
    `${SITE}/api/v4/users`,
    SITE,
    '',
  ])('not to be answered at %j', async (responseUrl) => {
    expect(await statusOf(mattermostCommand('x', { ...caller, responseUrl }))).toBe(400)
  })

  test.each<[string, unknown]>([
    ['no context', undefined],
    ['no token', {}],
    ['a token of another form', { token: 'a b' }],
    ['an empty token', { token: '' }],
    ['a token that is no text', { token: { toString: 'a' } }],
    ['an endless token', { token: 'a'.repeat(201) }],
  ])('no press with %s', async (_, context) => {
    expect(await statusOf(mattermostPress(context, caller))).toBe(400)
  })

  test('no press in the name of two', async () => {
    expect(await statusOf(mattermostPress({ token: 'a' }, { ...caller, user: 'u1/u2' }))).toBe(400)
    expect(await statusOf(mattermostPress({ token: 'a' }, { ...caller, channel: '../c' }))).toBe(400)
  })

  test('whatever comes, nothing throws', async () => {
    const names = fc.constantFrom(
      'command',
      'text',
      'team_id',
      'channel_id',
      'user_id',
      'user_name',
      'trigger_id',
      'response_url',
      'context',
    )
    const value = fc.oneof(
      fc.string(),
      fc.webUrl(),
      fc.constantFrom(caller.responseUrl, 'u1', token),
      fc.jsonValue(),
    )
    const headers = fc.dictionary(
      fc.constantFrom('authorization', 'content-type'),
      fc.stringMatching(/^[ -~]*$/),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(names, value),
        headers,
        fc.string({ unit: 'binary' }),
        async (fields, header, body) => {
          const form = new URLSearchParams(
            Object.entries(fields).map(([name, given]) => [
              name,
              typeof given === 'string' ? given : JSON.stringify(given),
            ]),
          ).toString()
          const trusted = new Headers({ authorization: `Token ${token}` })
          expect([400, 401]).toContain(await statusOf({ headers: new Headers(header), body }))
          expect([200, 400]).toContain(await statusOf({ headers: trusted, body: form }))
          expect([200, 400]).toContain(await statusOf({ headers: trusted, body: JSON.stringify(fields) }))
        },
      ),
    )
  })
})

describe('what is read', () => {
  test('a command', async () => {
    expect(await receive(mattermostCommand('restore web1  "a b" ü', caller))).toEqual({
      kind: 'command',
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      at: now,
      actor: {
        platform: 'mattermost',
        id: 'mattermost:tteamteamteamteamteamteam1/uuseruseruseruseruseruser1',
        principals: ['mattermost:tteamteamteamteamteamteam1/uuseruseruseruseruseruser1'],
        user: 'uuseruseruseruseruseruser1',
        name: 'anna',
        place: 'mattermost:tteamteamteamteamteamteam1/cchannelchannelchannelcha1',
      },
      words: { text: 'restore web1  "a b" ü' },
      reply: {
        platform: 'mattermost',
        address: caller.responseUrl,
        until: '2026-11-22T03:30:00.000Z',
        uses: 5,
        channel: 'cchannelchannelchannelcha1',
        own: null,
        placed: false,
      },
    })
  })

  test('a press, for the same actor and place, with nowhere to answer later', async () => {
    const command = await repliable(mattermostCommand('', caller))
    const press = await repliable(mattermostPress({ token: 'AbC-1_2.confirm' }, caller))
    expect(press).toMatchObject({ kind: 'press', token: 'AbC-1_2.confirm', actor: command.actor })
    expect(press.reply).toMatchObject({ address: '', uses: 0, placed: true })
  })

  test('the same id for a replay, and another for another trigger', async () => {
    const ids = await Promise.all(
      ['trigger1', 'trigger1', 'trigger2'].map(
        async (trigger) => (await repliable(mattermostCommand('', { ...caller, trigger }))).id,
      ),
    )
    expect(ids[0]).toBe(ids[1])
    expect(ids[0]).not.toBe(ids[2])
    expect(await statusOf(mattermostCommand('', { ...caller, trigger: '' }))).toBe(400)
  })

  test('a press in a direct message, which names no team, as one of no team', async () => {
    expect(await receive(mattermostPress({ token: 'a' }, { ...caller, team: '' }))).toMatchObject({
      actor: { id: 'mattermost:direct/uuseruseruseruseruseruser1' },
    })
  })

  test('of a long name its first 80 characters', async () => {
    expect(await receive(mattermostCommand('', { ...caller, name: 'n'.repeat(500) }))).toMatchObject({
      actor: { name: 'n'.repeat(80) },
    })
  })
})

describe('what is said', () => {
  test.each(Object.entries<Message>(messages))('%s', async (name, message) => {
    const { answer, outgoing } = mattermost.say(
      message,
      await repliable(mattermostCommand('', caller)),
      ORIGIN,
    )
    expect(responded.safeParse(answer.body).error?.message).toBeUndefined()
    expect({ status: answer.status, outgoing }).toEqual({ status: 200, outgoing: null })
    await expect(`${JSON.stringify(answer.body, null, 2)}\n`).toMatchFileSnapshot(
      `../../golden/chatops/mattermost/${name}.json`,
    )
  })

  test('whatever is written, Mattermost takes it, and it neither notifies nor links', async () => {
    const endpoint = new MattermostEndpoint(() => now)
    const piece = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'<>!@&*_~`|#^:[](). \n\\aU/') }),
      fc.constantFrom('@all', 'http://a', '~town', '<http://a|b>', 'x'.repeat(4000), '[x](y)'),
    )
    await assertTaken(piece, (message) => mattermost.post(message), endpoint)
    expect(endpoint.violations).toEqual([])
  })

  test('after a press: in the place of the message for the channel, beside it for the caller', async () => {
    const press = await repliable(mattermostPress({ token: 't' }, caller))
    expect(mattermost.say(messages.progress, press, ORIGIN).answer.body).toEqual({
      update: { message: 'Copying `web1` to **vault**: 42 %, 1.2 GB', props: { attachments: [] } },
    })
    expect(mattermost.say(messages.moments, press, ORIGIN).answer.body).toEqual({
      ephemeral_text:
        'Taken 2026-11-22 03:00 UTC\n\nkept until 2026-12-22 03:00 UTC\nin summer 2026-06-30 22:00 UTC',
      skip_slack_parsing: true,
    })
  })

  test.each(Object.entries<Message>(messages))('after a press, within a post: %s', async (_, message) => {
    for (const context of [{ token: 't' }, { token: 't', hidden: true }]) {
      const press = await repliable(mattermostPress(context, caller))
      const { body } = mattermost.say(message, press, ORIGIN).answer
      expect(pressed.safeParse(body).error?.message).toBeUndefined()
    }
  })

  test('buttons that only the caller saw can’t be updated, so the answer stands beside them', async () => {
    const endpoint = new MattermostEndpoint(() => now)
    const command = await repliable(mattermostCommand('', caller))
    endpoint.answer(
      200,
      mattermost.say({ ...messages.confirmation, to: 'caller' }, command, ORIGIN).answer.body,
    )
    const message = endpoint.messages[0] ?? expect.fail('nothing was shown')
    const press = await repliable(mattermostPress(message.buttons[0]?.context, caller))
    endpoint.answerPress(message, 200, mattermost.say(messages.ended, press, ORIGIN).answer.body)
    expect([endpoint.violations, endpoint.messages.length]).toEqual([[], 2])
  })

  test('acknowledged with a word', async () => {
    const command = await repliable(mattermostCommand('', caller))
    for (const to of ['caller', 'channel'] as const)
      expect(responded.safeParse(mattermost.later(to, command).body).success).toBe(true)
    const press = await repliable(mattermostPress({ token: 't' }, caller))
    expect(mattermost.later('channel', press)).toEqual({ status: 200, body: {} })
  })

  test('five times, for half an hour, and nowhere after a press', async () => {
    let { reply } = await repliable(mattermostCommand('', caller))
    for (let use = 0; use < 5; use++) {
      const put = mattermost.put(messages.progress, reply, later(1799), ORIGIN)
      expect(put?.outgoing).toMatchObject({
        method: 'POST',
        url: caller.responseUrl,
        body: { response_type: 'in_channel' },
      })
      reply = put?.left ?? reply
    }
    expect(mattermost.put(messages.progress, reply, now, ORIGIN)).toBeNull()
    expect(mattermost.put(messages.progress, { ...reply, uses: 5 }, later(1800), ORIGIN)).toBeNull()
    const press = await repliable(mattermostPress({ token: 't' }, caller))
    expect(mattermost.put(messages.progress, press.reply, now, ORIGIN)).toBeNull()
  })

  test('to the channel without buttons, where one is configured', () => {
    const posted = mattermost.post(messages.confirmation)
    expect(posted).toMatchObject({ method: 'POST', url: WEBHOOK })
    expect(JSON.stringify(posted)).not.toContain('actions')
    expect(
      createMattermost({ tokens: TOKENS, origin: SITE, channelUrl: null }).post(messages.ended),
    ).toBeNull()
  })
})

test.each([
  ['MATTERMOST_TOKENS', { tokens: [], origin: SITE, channelUrl: null }],
  ['MATTERMOST_TOKENS', { tokens: [token, ''], origin: SITE, channelUrl: null }],
  ['MATTERMOST_URL', { tokens: TOKENS, origin: 'http://mattermost.example.org', channelUrl: null }],
  ['MATTERMOST_URL', { tokens: TOKENS, origin: 'https://', channelUrl: null }],
  ['MATTERMOST_CHANNEL_URL', { tokens: TOKENS, origin: SITE, channelUrl: 'https://evil.example/hooks/a' }],
])('a wrong %s is named', (name, options) => {
  expect(() => createMattermost(options)).toThrow(name)
})
