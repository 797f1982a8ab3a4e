/** Requests at Slack's door that Slack never sends, though they are signed. Let in, each would take a snapshot. */
import { slackPress } from '../../chat/slack-request.ts'
import { type Row, turned } from './row.ts'
import { plain, type Scene } from './scene.ts'
import { honest, signed, slackSignatures, slackTimestamps } from './slack-signature.ts'
import { userOf } from './world.ts'

const URL_OF_FORM = 'application/x-www-form-urlencoded'

/** The honest fields, otherwise. */
const fields =
  (change: (fields: URLSearchParams) => void): Row['request'] =>
  (scene) => {
    const given = new URLSearchParams(honest(scene).body)
    change(given)
    return signed(scene, given.toString())
  }
const set = (name: string, value: string) => fields((given) => given.set(name, value))
const drop = (name: string) => fields((given) => given.delete(name))
const twice = (name: string, value: string) => fields((given) => given.append(name, value))
const raw =
  (make: (body: string) => string): Row['request'] =>
  (scene) =>
    signed(scene, make(honest(scene).body))

const bodies = turned(400, {
  'an empty body': raw(() => ''),
  'a body of JSON': raw((body) => JSON.stringify(Object.fromEntries(new URLSearchParams(body)))),
  'a body of several parts': raw(
    () => '--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nnow web1\r\n--x--\r\n',
  ),
  'a body that is not a form': raw(() => 'now web1'),
  'a percent sign without digits': raw((body) => `${body}&more=%`),
  'a percent sign with other letters': raw((body) => `${body}&more=%zz`),
  'percent codes that are no characters': raw((body) => `${body}&more=%C0%80`),
  'half a character in percent codes': raw((body) => `${body}&more=%ED%A0%80`),
  'characters that were not encoded': raw((body) => `${body}&more=ä`),
  'a line break that was not encoded': raw((body) => `${body}\n`),
  'a null byte that was not encoded': raw((body) => `${body}&more=\0`),
  'two users': twice('user_id', userOf('slack', 'admin')),
  'two texts': twice('text', 'help'),
  'two texts, one in percent codes': raw((body) => `${body}&te%78t=help`),
  'two teams': twice('team_id', 'T1DC2JH3J'),
  'two response URLs': twice('response_url', 'https://hooks.slack.com/commands/T1/2/3'),
  'no channel': drop('channel_id'),
  'no user': drop('user_id'),
  'no team, and no organisation': drop('team_id'),
  'no response URL': drop('response_url'),
  'no command': drop('command'),
  'an empty user': set('user_id', ''),
  'an empty channel': set('channel_id', ''),
  'a user with a slash': set('user_id', `x/${userOf('slack', 'admin')}`),
  'a user with a line break': set('user_id', `${userOf('slack', 'admin')}\n`),
  'a user with a null byte': set('user_id', `${userOf('slack', 'admin')}\0`),
  'a user of 41 characters': set('user_id', 'U'.repeat(41)),
  'a team with a path in it': set('team_id', 'T1DC2JH3J/../T1DC2JH3J'),
  'a channel with a line break': set('channel_id', 'C8PSS9T3V\nstapes confirmation v1'),
  'a text of 4,001 characters': set('text', `now web1${' '.repeat(3993)}`),
  'a response URL of another host': set('response_url', 'https://evil.example/commands/T1/2/3'),
  'a response URL of a host that begins alike': set(
    'response_url',
    'https://hooks.slack.com.evil.example/commands/1',
  ),
  'a response URL with a user in it': set('response_url', 'https://hooks.slack.com@evil.example/commands/1'),
  'a response URL with a user and a password': set(
    'response_url',
    'https://hooks.slack.com:x@evil.example/c',
  ),
  'a response URL with a port': set('response_url', 'https://hooks.slack.com:444/commands/1/2/3'),
  'a response URL without TLS': set('response_url', 'http://hooks.slack.com/commands/1/2/3'),
  'a response URL of another scheme': set('response_url', 'file://hooks.slack.com/commands/1/2/3'),
  'a response URL of a subdomain': set('response_url', 'https://x.hooks.slack.com/commands/1/2/3'),
  'a response URL of a host that ends alike': set(
    'response_url',
    'https://evilhooks.slack.com/commands/1/2/3',
  ),
  'a response URL with a backslash': set('response_url', 'https://hooks.slack.com\\@evil.example/commands'),
  'a response URL with a query': set('response_url', 'https://hooks.slack.com/commands/1?next=https://evil'),
  'a response URL with a fragment': set('response_url', 'https://hooks.slack.com/commands/1#x'),
  'a response URL without a path': set('response_url', 'https://hooks.slack.com'),
  'a response URL with a space before it': set('response_url', ' https://hooks.slack.com/commands/1/2/3'),
  'a response URL with a line after it': set(
    'response_url',
    'https://hooks.slack.com/commands/1\nhttps://evil',
  ),
  'a response URL in capitals': set('response_url', 'HTTPS://HOOKS.SLACK.COM/commands/1/2/3'),
  'a response URL that is no URL': set('response_url', 'hooks.slack.com/commands/1/2/3'),
})

/** A press, otherwise. */
const payload =
  (change: (payload: Record<string, unknown>) => unknown): Row['request'] =>
  (scene) => {
    const at = new Date()
    const responseUrl = 'https://hooks.slack.com/actions/T1DC2JH3J/1/secret'
    const { body } = slackPress('x', { signingSecret: scene.signingSecret, at, responseUrl })
    const given = JSON.parse(new URLSearchParams(body).get('payload') ?? '') as Record<string, unknown>
    const changed = change(given)
    const text = typeof changed === 'string' ? changed : JSON.stringify(changed)
    return signed(scene, new URLSearchParams({ payload: text }).toString())
  }
const member = (name: string, value: unknown) => payload((given) => ({ ...given, [name]: value }))
const action = (more: unknown) => member('actions', [more])

const payloads = turned(400, {
  'an empty payload': payload(() => ''),
  'a payload that is no JSON': payload(() => '{type: "block_actions"}'),
  'a payload that is a list': payload((given) => [given]),
  'a payload that is null': payload(() => 'null'),
  'a payload that is a number': payload(() => '7'),
  'a payload in a text': payload((given) => JSON.stringify(JSON.stringify(given))),
  'a payload of fifty thousand brackets': payload(() => '['.repeat(50_000)),
  'a payload of a window': member('type', 'view_submission'),
  'a payload of a shortcut': member('type', 'shortcut'),
  'a payload of a message’s menu': member('type', 'message_action'),
  'a payload of a menu that is loading': member('type', 'block_suggestion'),
  'a payload without a type': member('type', undefined),
  'a payload without actions': member('actions', undefined),
  'a payload with no action': member('actions', []),
  'a payload whose actions are no list': member('actions', { 0: { value: 'x' } }),
  'an action without a value': action({ type: 'button', action_id: 'button1' }),
  'an action with an empty value': action({ value: '' }),
  'an action with a number': action({ value: 7 }),
  'an action with a list': action({ value: ['x'] }),
  'an action value of 3,000 characters': action({ value: 'c'.repeat(3000) }),
  'a payload without a user': member('user', undefined),
  'a payload with a user’s name alone': member('user', { name: 'admin' }),
  'a payload with a user that is a text': member('user', userOf('slack', 'admin')),
  'a payload without a channel': member('channel', undefined),
  'a payload without a team': member('team', null),
  'a payload with a team that has a path': member('team', { id: '../T1DC2JH3J' }),
  'a payload without a response URL': member('response_url', undefined),
  'a payload with a response URL elsewhere': member(
    'response_url',
    'https://hooks.slack.com.evil.example/actions/1',
  ),
  'a payload that is also a command, and no press': fields((given) => given.set('payload', '{}')),
})

const oversized = (size: number) => (scene: Scene) => {
  const { body } = honest(scene)
  return signed(scene, `${body}&more=${'x'.repeat(size - body.length - 6)}`)
}

/** In pieces, and without its length. */
const chunked =
  (request: Row['request']): Row['request'] =>
  async (scene) => {
    const sent = await request(scene)
    const bytes = new TextEncoder().encode(String(sent.body))
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 65_536) controller.enqueue(bytes.subarray(at, at + 65_536))
        controller.close()
      },
    })
    return { ...sent, body }
  }

const sizes = turned(413, {
  'a signed body of 257 KiB': oversized(257 * 1024),
  'a signed body of 257 KiB in pieces': chunked(oversized(257 * 1024)),
  'a body of 4 MiB': oversized(4 * 1024 * 1024),
})

const method =
  (name: string, hasBody = false): Row['request'] =>
  (scene) => {
    const { body, ...request } = honest(scene)
    return { ...request, method: name, ...(hasBody ? { body } : {}) }
  }
const path =
  (at: string): Row['request'] =>
  (scene) => ({ ...honest(scene), path: at })

const elsewhere = [
  ...turned(404, {
    'a signed GET': method('GET'),
    'a signed HEAD': method('HEAD'),
    'a signed PUT': method('PUT', true),
    'a signed PATCH': method('PATCH', true),
    'a signed DELETE': method('DELETE', true),
    'a signed OPTIONS': method('OPTIONS'),
    'a signed request to the path in capitals': path('/chat/SLACK'),
    'a signed request to a path with two slashes': path('/chat//slack'),
    'a signed request to a path with a null byte': path('/chat/slack%00'),
    'a signed request to no platform': path('/chat'),
    'a signed request to a platform that there is not': path('/chat/teams'),
    'a signed request to a press path that Slack doesn’t have': path('/chat/slack/press'),
  }),
  ...turned(401, {
    'Slack’s request at Discord’s door': path('/chat/discord'),
    'Slack’s request at Mattermost’s door': path('/chat/mattermost'),
    'Slack’s request at the API': path('/api/tick'),
    'Discord’s request at Slack’s door': (scene) => ({
      ...plain(
        '/chat/slack',
        scene.app.request(scene.app.command(scene.person('admin'), 'now', { instances: 'web1' }), new Date()),
      ),
    }),
    'Mattermost’s request at Slack’s door': (scene) => {
      const { headers, body } = scene.command('mattermost', 'now web1', 'admin')
      return { path: '/chat/slack', headers, ...(body === undefined ? {} : { body }) }
    },
    'a certificate check that isn’t one, unsigned': (scene) => ({
      path: '/chat/slack',
      headers: { 'content-type': URL_OF_FORM },
      body: `${honest(scene).body}&ssl_check=0`,
    }),
    'two certificate checks, unsigned': (scene) => ({
      path: '/chat/slack',
      headers: { 'content-type': URL_OF_FORM },
      body: `${honest(scene).body}&ssl_check=1&ssl_check=1`,
    }),
    'a command that was answered before': async (scene) => {
      const { waits: _, ...request } = scene.command('slack', 'now web2', 'admin')
      await scene.perform(request)
      return request
    },
    'a refused command that was answered before': async (scene) => {
      const { waits: _, ...request } = scene.command('slack', 'now web2', 'stranger')
      await scene.perform(request)
      return request
    },
  }),
  {
    name: 'a certificate check with a command, unsigned',
    outcome: { gets: null },
    request: (scene: Scene) => ({
      path: '/chat/slack',
      headers: { 'content-type': URL_OF_FORM },
      body: `${honest(scene).body}&ssl_check=1`,
    }),
  },
  {
    name: 'a certificate check with a command, signed',
    outcome: { gets: null },
    request: (scene: Scene) => signed(scene, `${honest(scene).body}&ssl_check=1`),
  },
] satisfies Row[]

export const slackDoor: Row[] = [
  ...slackSignatures,
  ...slackTimestamps,
  ...bodies,
  ...payloads,
  ...sizes,
  ...elsewhere,
]
