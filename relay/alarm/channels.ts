/** The relay's own channels: one HTTP request for each message. Addresses are secrets and are in no message. */
import { request } from 'undici'
import type { Said } from '../../shared/silence/text.ts'
import { shortText } from '../short-text.ts'
import type { ChannelConfig } from './alarm-schema.ts'
import type { Channel, Pulse } from './watch.ts'

/** Milliseconds for one message. */
const LIMIT = 15_000

type Message = { headers: Record<string, string>; body: string }

const json = (value: unknown): Message => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

/** What Slack takes as plain text: nothing in it is a link or a mention. */
const plain = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const MESSAGES: Record<ChannelConfig['type'], (said: Said) => Message> = {
  slack: ({ title, text }) => json({ text: plain(`${title}\n${text}`) }),
  webhook: ({ title, text }) => json({ source: 'stapes relay', title, text }),
  ntfy: ({ title, text }) => ({ headers: { title, priority: 'high' }, body: text }),
}

/** Whether an answer of success is the service's own: a proxy's page has that status, too. */
const TOOK: Record<ChannelConfig['type'], (answer: string) => boolean> = {
  // Mattermost has taken it over from Slack.
  slack: (answer) => answer.trim() === 'ok',
  ntfy: (answer) => /^\s*\{.*"id":\s*"/s.test(answer),
  webhook: () => true,
}

export const createChannel = (name: string, { type, url, token }: ChannelConfig): Channel => ({
  name,
  send(said) {
    const { headers, body } = MESSAGES[type](said)
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
    return post(url, { headers: { ...headers, ...authorization }, body }, TOOK[type])
  },
})

/** As healthchecks.io takes it: an address for success, and one below it for failure, with the reason. */
export const createPulse =
  (url: string): Pulse =>
  (said) =>
    said === null
      ? post(url, { headers: {}, body: '' }, isPinged)
      : post(failing(url), { headers: {}, body: `${said.title}\n${said.text}` }, isPinged)

/** healthchecks.io says with success, too, that it has no such check: "OK (not found)". */
const isPinged = (answer: string): boolean => !answer.startsWith('OK (')

/** What stands behind the path, as in `?create=1`, stays behind it. */
function failing(url: string): string {
  const address = new URL(url)
  address.pathname = `${address.pathname.replace(/\/$/, '')}/fail`
  return address.href
}

/** Null: it was taken. */
async function post(
  url: string,
  { headers, body }: Message,
  took: (answer: string) => boolean,
): Promise<string | null> {
  try {
    const signal = AbortSignal.timeout(LIMIT)
    const response = await request(url, { method: 'POST', headers, body, signal })
    const answer = await shortText(response.body, READ)
    if (response.statusCode >= 300) return `it answered ${response.statusCode}`
    return took(answer) ? null : `it answered ${response.statusCode}, but not as that service does`
  } catch (cause) {
    const { code, name } = cause as { code?: unknown; name?: unknown }
    return `no answer (${typeof code === 'string' ? code : String(name)})`
  }
}

/** Bytes of an answer that are read. */
const READ = 100_000
