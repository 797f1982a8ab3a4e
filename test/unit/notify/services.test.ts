/** What each service gets over HTTP, and what hostile names and receivers can do by it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { editMessage, type Post, post, type Sender, sendLetter } from '../../../functions/notify/send.ts'
import type { Outgoing } from '../../../functions/notify/service.ts'
import type { Channel, Provider, ServiceName } from '../../../shared/notify/channel.ts'
import { alarmLetter, type Letter, overMessage, recoveryLetter } from '../../../shared/notify/letter.ts'
import type { Notice } from '../../../shared/notify/notices.ts'
import { troublesOf } from '../../../shared/notify/trouble.ts'
import * as services from './stand-in.ts'
import { type StandIn, standIn } from './stand-in.ts'
import { channelOf, conditionOf, promisedOf, verdictOf } from './verdicts.ts'

const NOW = new Date('2026-11-22T06:00:00Z')
const KEY = 'a key to sign with, long enough'

let server: StandIn | null = null
afterEach(async () => {
  await server?.close()
  server = null
})

const NOTICE: Notice = {
  since: '2026-11-22T05:00:00.000Z',
  began: '2026-11-22T05:00:00.000Z',
  title: 'it was',
  members: [],
  told: {},
}

const letterOf = (reason: string, subject = 'main/default/web', several = 1): Letter => {
  const promises = Array.from({ length: several }, (_, index) =>
    promisedOf({ subject: several === 1 ? subject : `${subject}${index}`, reason }),
  )
  const troubles = troublesOf(
    verdictOf(promises, [conditionOf({ text: reason, kind: 'instance', about: subject })]),
  )
  return alarmLetter({ id: 'because x', notice: NOTICE, troubles, times: 0, fresh: [] }, promises, NOW)
}

const USUAL = letterOf('No space left on device')

const ADDRESSES: Partial<Record<ServiceName, string>> = {
  slack: '/services/T0/B0/secret-of-slack',
  discord: '/api/webhooks/1/secret-of-discord?thread_id=7',
  mattermost: '/hooks/secret-of-mattermost',
  webhook: '/take?it=1',
  ntfy: '/backups',
  gotify: '/below/',
}

const TOKENS: Partial<Record<ServiceName, string>> = { ntfy: 'secret-of-ntfy', gotify: 'secret-of-gotify' }

function senderTo(type: ServiceName, origin: string, more: Record<string, string> = {}, by: Post = post) {
  const vault: Record<string, string> = {
    NOTIFY_URL: `${origin}${ADDRESSES[type] ?? ''}`,
    NOTIFY_TOKEN: TOKENS[type] ?? 'secret-of-mail',
    NOTIFY_KEY: KEY,
    ...more,
  }
  const secrets: Channel['secrets'] = {
    ...(type === 'email' ? {} : { url: 'NOTIFY_URL' }),
    ...(['ntfy', 'gotify', 'email'].includes(type) ? { token: 'NOTIFY_TOKEN' } : {}),
    ...(type === 'webhook' ? { key: 'NOTIFY_KEY' } : {}),
  }
  const sender: Sender = { vault: (name) => vault[name], post: by, now: () => NOW }
  return { channel: channelOf({ type, secrets }), sender }
}

const RULES = {
  slack: services.slack,
  discord: services.discord,
  mattermost: services.mattermost,
  webhook: services.webhook(KEY, () => NOW),
  ntfy: services.ntfy,
  gotify: services.gotify,
} as const

/** What each provider of e-mail answers. */
const ACCEPTED: Record<Provider, string> = {
  resend: '{"id":"49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}',
  postmark: '{"To":"b@example.org","MessageID":"b7bc2f4a","ErrorCode":0,"Message":"OK"}',
  sendgrid: '',
}

const NAMES = Object.keys(RULES) as (keyof typeof RULES)[]

const LONG = letterOf('No space left on device '.repeat(200), 'main/default/web', 300)
const RECOVERY = recoveryLetter('x', NOTICE, { severity: 'critical', kept: [promisedOf()], dropped: 2 }, NOW)

describe.each(NAMES)('%s', (type) => {
  test('takes an alarm, a long one of hundreds of instances, and its end', async () => {
    server = await standIn(RULES[type])
    const { channel, sender } = senderTo(type, server.origin)
    for (const letter of [USUAL, LONG, RECOVERY])
      expect(await sendLetter(channel, letter, sender)).toMatchObject({ ok: true })
    expect(server.taken).toHaveLength(3)
    expect(server.taken[0]?.body).toContain('No space left on device')
    expect(server.taken[0]?.headers['user-agent']).toBe('stapes')
  })

  test('that refuses is an error which holds no secret, though the answer does', async () => {
    server = await standIn(({ path, headers }) => ({
      status: 403,
      body: `${path} ${JSON.stringify(headers)}`,
    }))
    const { channel, sender } = senderTo(type, server.origin)
    const sent = await sendLetter(channel, USUAL, sender)
    expect(sent).toMatchObject({ ok: false, final: true, reason: expect.stringMatching(/^403/) })
    expect(JSON.stringify(sent)).not.toMatch(/secret-of|thread_id=7|a key to sign/)
  })

  test('that redirects gets nothing at the other address', async () => {
    server = await standIn(({ path }) => ({
      status: path === '/stolen' ? 200 : 307,
      body: '',
      headers: { location: '/stolen' },
    }))
    const { channel, sender } = senderTo(type, server.origin)
    expect(await sendLetter(channel, USUAL, sender)).toMatchObject({ ok: false, final: true })
    expect(server.taken.map(({ path }) => path)).not.toContain('/stolen')
  })

  test('that is not there, or fails, is tried again', async () => {
    server = await standIn(() => ({ status: 503, body: 'later', headers: { 'retry-after': '90' } }))
    const { channel, sender } = senderTo(type, server.origin)
    expect(await sendLetter(channel, USUAL, sender)).toEqual({
      ok: false,
      reason: '503: later',
      final: false,
      wait: 90,
    })
    await server.close()
    expect(await sendLetter(channel, USUAL, sender)).toMatchObject({ ok: false, final: false })
    server = null
  })
})

describe('a hostile name or text', () => {
  const HOSTILE =
    '<!channel> @everyone @all <@U1> <https://evil.example|ok> [ok](https://evil.example) **x** `y` \u202e\u0000\r\nBcc: all@example.org'
  const letter = letterOf(HOSTILE)

  async function got(type: keyof typeof RULES): Promise<string> {
    server = await standIn(RULES[type])
    const { channel, sender } = senderTo(type, server.origin)
    expect(await sendLetter(channel, letter, sender)).toMatchObject({ ok: true })
    return server.taken[0]?.body ?? ''
  }

  test('mentions nobody and links nowhere in Slack', async () => {
    const body = await got('slack')
    expect(body).toContain('&lt;!channel&gt;')
    expect(body.replace(/<!date[^>]*>/g, '')).not.toMatch(/<[!@h]/)
  })

  test('mentions nobody and links nowhere in Discord', async () => {
    const body = await got('discord')
    expect(body).not.toMatch(/@everyone|[^\\\\]\[ok/)
    expect(JSON.parse(body)).toMatchObject({ allowed_mentions: { parse: [] } })
  })

  test('mentions nobody and links nowhere in Mattermost', async () => {
    expect(await got('mattermost')).not.toMatch(/@(all|everyone)|<[!@]|https:\/\/evil/)
  })

  test.each(['webhook', 'ntfy', 'gotify'] as const)(
    'moves no cursor and turns no line in %s',
    async (type) => {
      const text = Object.values(JSON.parse(await got(type)) as object).join(' ')
      expect(text).toContain('@everyone')
      expect(['\u0000', '\r', '\u202e'].filter((one) => text.includes(one))).toEqual([])
    },
  )

  test('begins no header of an e-mail', async () => {
    const sent: Outgoing[] = []
    for (const provider of ['resend', 'postmark', 'sendgrid'] as const) {
      const by: Post = async (outgoing) => {
        sent.push(outgoing)
        return { status: 200, text: ACCEPTED[provider], retryAfter: null }
      }
      const { channel, sender } = senderTo('email', '', {}, by)
      const email = { provider, from: 'stapes <a@example.org>', to: ['b@example.org', 'c@example.org'] }
      expect(await sendLetter({ ...channel, email }, letter, sender)).toEqual({ ok: true })
    }
    const subjects = sent.map(({ body }) => {
      const { subject, Subject } = JSON.parse(body) as { subject?: string; Subject?: string }
      return subject ?? Subject ?? ''
    })
    expect(subjects).toHaveLength(3)
    for (const subject of subjects) expect(subject).toMatch(/^\[stapes BAD\] [^\r\n]+$/)
  })
})

describe('e-mail', () => {
  test.each([
    ['resend', 'https://api.resend.com/emails', 'authorization', 'Bearer secret-of-mail'],
    ['postmark', 'https://api.postmarkapp.com/email', 'x-postmark-server-token', 'secret-of-mail'],
    ['sendgrid', 'https://api.sendgrid.com/v3/mail/send', 'authorization', 'Bearer secret-of-mail'],
  ] as const)('goes to %s as its documents say', async (provider, url, header, value) => {
    const sent: Outgoing[] = []
    const { channel, sender } = senderTo('email', '', {}, async (outgoing) => {
      sent.push(outgoing)
      return { status: 202, text: ACCEPTED[provider], retryAfter: null }
    })
    const email = { provider, from: 'stapes <a@example.org>', to: ['b@example.org'] }
    for (const _ of [1, 2])
      expect(await sendLetter({ ...channel, email }, USUAL, sender)).toEqual({ ok: true })
    expect(sent[0]).toMatchObject({ method: 'POST', url })
    expect(sent[0]?.headers[header]).toBe(value)
    expect(sent[0]?.body).toMatch(/b@example.org/)
    // The same at each try, so that what takes an id sends it once.
    expect(sent[1]).toEqual(sent[0])
  })
})

describe('an answer of success that is not the one of the service', () => {
  const PAGE = '<!doctype html><title>Sign in</title>'
  const EMAIL = { from: 'a@example.org', to: ['b@example.org'] }

  test.each<[ServiceName, string, Provider?]>([
    ['slack', PAGE],
    ['slack', ''],
    ['slack', '{"ok":false,"error":"channel_not_found"}'],
    ['mattermost', PAGE],
    ['discord', PAGE],
    ['discord', ''],
    ['discord', '{"message":"Unknown Channel","code":10003}'],
    ['ntfy', PAGE],
    ['ntfy', '{"code":40024,"error":"invalid request"}'],
    ['gotify', PAGE],
    ['gotify', '{"error":"Unauthorized"}'],
    ['email', '{"name":"validation_error"}', 'resend'],
    ['email', '{"ErrorCode":406,"Message":"inactive recipient"}', 'postmark'],
    ['email', PAGE, 'sendgrid'],
  ])('is no delivery to %s: %s', async (type, text, provider) => {
    const by: Post = async () => ({ status: 200, text, retryAfter: null })
    const { channel, sender } = senderTo(type, 'https://example.org', {}, by)
    const email = provider === undefined ? null : { provider, ...EMAIL }
    expect(await sendLetter({ ...channel, email }, USUAL, sender)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('200, but not the answer of that service'),
    })
  })

  test('is enough of a webhook, whose receiver answers as it likes', async () => {
    const by: Post = async () => ({ status: 200, text: PAGE, retryAfter: null })
    const { channel, sender } = senderTo('webhook', 'https://example.org', {}, by)
    expect(await sendLetter(channel, USUAL, sender)).toEqual({ ok: true })
  })
})

test('of an answer without an end only the beginning is read', async () => {
  let sent = 0
  const endless = createServer((_, response) => {
    const more = (): void => {
      sent += 10_000
      if (!response.destroyed) response.write('x'.repeat(10_000), () => setImmediate(more))
    }
    more()
  })
  await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve))
  const { port } = endless.address() as AddressInfo
  const { channel, sender } = senderTo('slack', `http://127.0.0.1:${port}`)
  expect(await sendLetter(channel, USUAL, sender)).toMatchObject({ ok: false })
  expect(sent).toBeLessThan(50_000_000)
  await new Promise((resolve) => void endless.close(resolve))
})

test('the text of a webhook is not its title once more', async () => {
  server = await standIn(RULES.webhook)
  const { channel, sender } = senderTo('webhook', server.origin)
  const nothing = recoveryLetter('x', NOTICE, { severity: 'critical', kept: [], dropped: 0 }, NOW)
  await sendLetter(channel, nothing, sender)
  expect(server.taken[0]?.json).toMatchObject({ title: expect.stringMatching(/^Over after/), text: '' })
})

describe('Discord', () => {
  test('gives the id of a message, by which it is edited when it is over', async () => {
    server = await standIn(services.discord)
    const { channel, sender } = senderTo('discord', server.origin)
    const sent = await sendLetter(channel, USUAL, sender)
    expect(sent).toEqual({ ok: true, ref: '42' })
    await editMessage(channel, USUAL, { ref: '42', message: overMessage(NOTICE) }, sender)
    expect(server.taken[1]).toMatchObject({
      ...{ method: 'PATCH', path: '/api/webhooks/1/secret-of-discord/messages/42?thread_id=7' },
    })
  })
})

describe('a generic webhook', () => {
  test('is sent with the same id again, so that the receiver drops repeats', async () => {
    server = await standIn(services.webhook(KEY, () => NOW))
    const answers: string[] = []
    const { channel, sender } = senderTo('webhook', server.origin, {}, async (outgoing) => {
      const reply = await post(outgoing)
      if ('text' in reply) answers.push(reply.text)
      return reply
    })
    await sendLetter(channel, USUAL, sender)
    await sendLetter(channel, USUAL, { ...sender, now: () => new Date(NOW.getTime() + 60_000) })
    expect(answers).toEqual(['new', 'repeated'])
  })

  test('is signed by a key in the form of Standard Webhooks, too', async () => {
    const key = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    server = await standIn(services.webhook(key, () => NOW))
    const { channel, sender } = senderTo('webhook', server.origin, { NOTIFY_KEY: key })
    expect(await sendLetter(channel, USUAL, sender)).toEqual({ ok: true })
  })
})

describe('a secret', () => {
  const never: Post = async () => {
    throw new Error('nothing may be sent')
  }

  test.each([
    ['http://10.0.0.1/x', 'http:// address'],
    ['http://169.254.169.254/latest/meta-data', 'http:// address'],
    ['http://127.0.0.1.example.org/x', 'http:// address'],
    ['file:///etc/passwd', 'no https:// address'],
    ['javascript:alert(1)', 'no https:// address'],
    ['https://user:pass@example.org/', 'before the @'],
    ['not an address', 'no https:// address'],
    ['', 'is not set'],
  ])('with %s as an address sends nothing, and is not shown', async (url, why) => {
    const { channel, sender } = senderTo('slack', '', { NOTIFY_URL: url }, never)
    const sent = await sendLetter(channel, USUAL, sender)
    expect(sent).toMatchObject({ ok: false, final: true, reason: expect.stringContaining(why) })
    if (url !== '') expect(JSON.stringify(sent)).not.toContain(url)
  })

  test('of another name than NOTIFY_… is not read, whatever stands in KV', async () => {
    const { sender } = senderTo(
      'gotify',
      'https://evil.example',
      { RELAY_KEY: 'the key to the relay' },
      never,
    )
    const channel = channelOf({ type: 'gotify', secrets: { url: 'NOTIFY_URL', token: 'RELAY_KEY' } })
    const sent = await sendLetter(channel, USUAL, sender)
    expect(sent).toMatchObject({ ok: false, reason: expect.stringContaining('RELAY_KEY is not set') })
  })

  test('that is too short to sign with is refused', async () => {
    const { channel, sender } = senderTo('webhook', 'https://example.org', { NOTIFY_KEY: 'short' }, never)
    expect(await sendLetter(channel, USUAL, sender)).toMatchObject({ ok: false, final: true })
  })
})
