/** Requests at Mattermost's doors that Mattermost never sends. Let in, the commands would take a snapshot. */
import { mattermostPress } from '../../chat/mattermost-request.ts'
import { type Row, type Sent, turned } from './row.ts'
import type { Scene } from './scene.ts'
import { userOf } from './world.ts'

const honest = (scene: Scene): Sent & { body: string } => {
  const { headers, path, body } = scene.command('mattermost', 'now web1', 'admin')
  return { headers, path, body: String(body) }
}

/** In the form, and in the header as newer servers send it. */
const token =
  (make: (right: string) => { form?: string; header?: string }): Row['request'] =>
  (scene) => {
    const { form, header } = make(scene.token)
    const { headers, body, path } = honest(scene)
    const { authorization: _, ...others } = headers
    const fields = new URLSearchParams(body)
    fields.delete('token')
    if (form !== undefined) fields.set('token', form)
    const authorization = header === undefined ? {} : { authorization: header }
    return { path, headers: { ...others, ...authorization }, body: fields.toString() }
  }
const both = (make: (right: string) => string) =>
  token((right) => ({ form: make(right), header: `Token ${make(right)}` }))

const swapCase = (text: string): string =>
  text.replace(/[a-z]/gi, (one) => (one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase()))

const tokens = turned(401, {
  'no token': token(() => ({})),
  'an empty token': both(() => ''),
  'another token': both(() => 'q'.repeat(26)),
  'the beginning of the token': both((right) => right.slice(0, 25)),
  'the end of the token': both((right) => right.slice(1)),
  'half of the token': both((right) => right.slice(0, 13)),
  'the token and one more letter': both((right) => `${right}a`),
  'the token twice': both((right) => right + right),
  'the token in the other case': both(swapCase),
  'the token in lower case': both((right) => right.toLowerCase()),
  'the token in upper case': both((right) => right.toUpperCase()),
  'all tokens as they are configured': token((right) => ({ form: `${'z'.repeat(26)},${right}` })),
  'the token with a space before it': token((right) => ({ form: ` ${right}` })),
  'the token with a space behind it': token((right) => ({ form: `${right} ` })),
  'the token with a line break': token((right) => ({ form: `${right}\n` })),
  'the token with a null byte': token((right) => ({ form: `${right}\0` })),
  'the token in quotes': token((right) => ({ form: `"${right}"` })),
  'the word undefined': both(() => 'undefined'),
  'the word null': both(() => 'null'),
  'a star': both(() => '*'),
  'a token of 100,000 letters': token(() => ({ form: 'q'.repeat(100_000) })),
  'the token as a bearer': token((right) => ({ header: `Bearer ${right}` })),
  'the token without its scheme': token((right) => ({ header: right })),
  'the token in a scheme of lower case': token((right) => ({ header: `token ${right}` })),
  'the right token, and a wrong one in the header': token((right) => ({
    form: right,
    header: `Token ${'q'.repeat(26)}`,
  })),
  'the token in the query': (scene) => ({ ...noToken(scene), path: `/chat/mattermost?token=${scene.token}` }),
  'the token in a cookie': (scene) => {
    const request = noToken(scene)
    return { ...request, headers: { ...request.headers, cookie: `token=${scene.token}` } }
  },
  'the token in the text': (scene) => {
    const request = noToken(scene)
    return { ...request, body: String(request.body).replace('text=', `text=${scene.token}+`) }
  },
  'the token under another name': (scene) => {
    const request = noToken(scene)
    return { ...request, body: `${request.body}&Token=${scene.token}` }
  },
  'the token twice in the form': (scene) => {
    const request = noToken(scene)
    return { ...request, body: `${request.body}&token=${scene.token}&token=${scene.token}` }
  },
  'a command at the door of the buttons, without a token': (scene) => ({
    ...noToken(scene),
    path: '/chat/mattermost/press',
  }),
  'nothing at all': () => ({ path: '/chat/mattermost', headers: {}, body: '' }),
  'nothing at all, at the door of the buttons': () => ({
    path: '/chat/mattermost/press',
    headers: {},
    body: '',
  }),
  'a list of presses': () => ({ path: '/chat/mattermost/press', headers: {}, body: '[{}]' }),
  'Slack’s command': (scene) => {
    const { headers, body } = scene.command('slack', 'now web1', 'admin')
    return { path: '/chat/mattermost', headers, ...(body === undefined ? {} : { body }) }
  },
})

const noToken = (scene: Scene): Sent => {
  const { headers, body, path } = honest(scene)
  const { authorization: _, ...others } = headers
  const fields = new URLSearchParams(body)
  fields.delete('token')
  return { path, headers: others, body: fields.toString() }
}

const fields =
  (change: (given: URLSearchParams, scene: Scene) => void): Row['request'] =>
  (scene) => {
    const { body, ...request } = honest(scene)
    const given = new URLSearchParams(body)
    change(given, scene)
    return { ...request, body: given.toString() }
  }
const set = (name: string, value: string) => fields((given) => given.set(name, value))
const drop = (name: string) => fields((given) => given.delete(name))
const raw =
  (make: (body: string) => string): Row['request'] =>
  (scene) => {
    const { body, ...request } = honest(scene)
    return { ...request, body: make(body) }
  }

const commands = turned(400, {
  'an empty body': raw(() => ''),
  'a broken form': raw((body) => `${body}&more=%zz`),
  'two users': fields((given) => given.append('user_id', userOf('mattermost', 'admin'))),
  'two texts': fields((given) => given.append('text', 'help')),
  'no user': drop('user_id'),
  'no channel': drop('channel_id'),
  'no team': drop('team_id'),
  'no trigger': drop('trigger_id'),
  'an empty trigger': set('trigger_id', ''),
  'a trigger of 1,001 characters': set('trigger_id', 't'.repeat(1001)),
  'no response URL': drop('response_url'),
  'no command': drop('command'),
  'a user with a slash': set('user_id', `x/${userOf('mattermost', 'admin')}`),
  'a channel with a line break': set('channel_id', 'c\nc'),
  'a team with a colon': set('team_id', 'mattermost:t'),
  'a text of 4,001 characters': set('text', `now web1${' '.repeat(3993)}`),
  'a response URL of another host': set('response_url', 'https://evil.example/hooks/commands/x'),
  'a response URL of a host that begins alike': set(
    'response_url',
    'https://mattermost.example.org.evil.example/hooks/commands/x',
  ),
  'a response URL with a user in it': set(
    'response_url',
    'https://mattermost.example.org@evil.example/hooks/commands/x',
  ),
  'a response URL with a port': set('response_url', 'https://mattermost.example.org:444/hooks/commands/x'),
  'a response URL without TLS': set('response_url', 'http://mattermost.example.org/hooks/commands/x'),
  'a response URL of a subdomain': set('response_url', 'https://x.mattermost.example.org/hooks/commands/x'),
  'a response URL of an incoming webhook': set('response_url', 'https://mattermost.example.org/hooks/abc'),
  'a response URL of the API': set('response_url', 'https://mattermost.example.org/api/v4/posts'),
  'a response URL with a query': set('response_url', 'https://mattermost.example.org/hooks/commands/x?a=b'),
  'a response URL that goes up': set(
    'response_url',
    'https://mattermost.example.org/hooks/commands/../../api',
  ),
  'a response URL with percent codes': set(
    'response_url',
    'https://mattermost.example.org/hooks/commands/%2e%2e/%2e%2e/api/v4/posts',
  ),
})

const WHO = { user: userOf('mattermost', 'admin') }

/** A press, otherwise. */
const press =
  (change: (given: Record<string, unknown>) => unknown): Row['request'] =>
  (scene) => {
    const trigger = scene.nextTrigger()
    const given = JSON.parse(mattermostPress({ token: 'x' }, { ...WHO, trigger }).body)
    const made = change(given)
    return {
      path: '/chat/mattermost/press',
      headers: { 'content-type': 'application/json' },
      body: typeof made === 'string' ? made : JSON.stringify(made),
    }
  }
const member = (name: string, value: unknown) => press((given) => ({ ...given, [name]: value }))
const context = (value: unknown) => member('context', value)

const presses = turned(400, {
  'a press that is half a body': press((given) => JSON.stringify(given).slice(0, -1)),
  'a press of sixty thousand brackets': press(() => `{"a":${'['.repeat(60_000)}`),
  'a press without a context': context(undefined),
  'a press whose context is null': context(null),
  'a press whose context is a text': context('c.x'),
  'a press whose context is a list': context(['x']),
  'a press with an empty context': context({}),
  'a press with an empty token': context({ token: '' }),
  'a press whose token is an object': context({ token: { length: 3 } }),
  'a press whose token is a list': context({ token: ['x'] }),
  'a press with a token of 201 characters': context({ token: 'c'.repeat(201) }),
  'a press with a token with a space': context({ token: 'c. .x' }),
  'a press that says how it is hidden in words': context({ token: 'x', hidden: 'true' }),
  'a press without a user': member('user_id', undefined),
  'a press with an empty user': member('user_id', ''),
  'a press with a user that is a path': member('user_id', '../admin'),
  'a press without a channel': member('channel_id', undefined),
  'a press with a team that is a path': member('team_id', 'a/b'),
  'a press without a trigger': member('trigger_id', undefined),
  'a press whose trigger is a number': member('trigger_id', 7),
  'a command in JSON, with the token': (scene) => {
    const { body, headers } = honest(scene)
    const json = JSON.stringify(Object.fromEntries(new URLSearchParams(body)))
    return { path: '/chat/mattermost', headers, body: json }
  },
})

const at =
  (path: string, method: string): Row['request'] =>
  (scene) => {
    const { headers, body } = honest(scene)
    return { path, method, headers, ...(method === 'GET' ? {} : { body }) }
  }

const elsewhere = [
  ...turned(404, {
    'a GET with the token': at('/chat/mattermost', 'GET'),
    'a PUT with the token': at('/chat/mattermost', 'PUT'),
    'a DELETE with the token': at('/chat/mattermost', 'DELETE'),
    'a GET of the buttons': at('/chat/mattermost/press', 'GET'),
  }),
  ...turned(413, {
    'a body of 257 KiB': raw((body) => `${body}&more=${'x'.repeat(257 * 1024)}`),
    'a press of 257 KiB': member('more', 'x'.repeat(257 * 1024)),
  }),
  ...turned(401, {
    'a command that was answered before': async (scene) => {
      const request = scene.command('mattermost', 'now web2', 'admin')
      await scene.perform(request)
      const { waits: _, ...again } = request
      return again
    },
    'another command with a trigger that was used': async (scene) => {
      const request = scene.command('mattermost', 'now web2', 'admin')
      await scene.perform(request)
      return {
        path: request.path,
        headers: request.headers,
        body: String(request.body).replace('web2', 'web1'),
      }
    },
    'Mattermost’s command at Discord’s door': at('/chat/discord', 'POST'),
    'Mattermost’s command at the API': at('/api/tick', 'POST'),
  }),
] satisfies Row[]

export const mattermostDoor: Row[] = [...tokens, ...commands, ...presses, ...elsewhere]
