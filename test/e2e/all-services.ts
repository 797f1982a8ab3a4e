/** A stand-in of each notification service, strict as in its documents, and what each was told. */
import { expect } from 'vitest'
import type { ServiceName } from '../../shared/notify/channel.ts'
import type { Rule, Taken } from '../unit/notify/stand-in.ts'
import * as standIns from '../unit/notify/stand-in.ts'

const KEY = 'a key to sign with, long enough'

const email: Rule = ({ method, path, headers, json }) => {
  const { from, to, subject, text } = (json ?? {}) as Record<string, unknown>
  const isSound =
    `${method} ${path}` === 'POST /emails' &&
    headers.authorization === 'Bearer secret-of-mail' &&
    [from, subject, text].every((one) => typeof one === 'string' && one !== '') &&
    Array.isArray(to)
  return isSound ? { status: 200, body: '{"id":"49a3999c"}' } : { status: 422, body: '{}' }
}

type Place = { address: string; channel: object; rule(now: () => Date): Rule }

const url = (name: string) => ({ url: { secret: `NOTIFY_${name}` } })
const token = (name: string) => ({ token: { secret: `NOTIFY_${name}_TOKEN` } })
const at = (address: string, rule: Rule, channel: object): Place => ({ address, channel, rule: () => rule })

const PLACES: Record<ServiceName, Place> = {
  slack: at('https://slack.example.org/services/T0/B0/secret-of-slack', standIns.slack, url('SLACK')),
  discord: at(
    'https://discord.example.org/api/webhooks/1/secret-of-discord',
    standIns.discord,
    url('DISCORD'),
  ),
  mattermost: at(
    'https://mattermost.example.org/hooks/secret-of-mattermost',
    standIns.mattermost,
    url('MATTERMOST'),
  ),
  webhook: {
    address: 'https://webhook.example.org/take',
    channel: { ...url('WEBHOOK'), key: { secret: 'NOTIFY_KEY' } },
    rule: (now) => standIns.webhook(KEY, now),
  },
  ntfy: at('https://ntfy.example.org/backups', standIns.ntfy, { ...url('NTFY'), ...token('NTFY') }),
  gotify: at('https://gotify.example.org/below', standIns.gotify, { ...url('GOTIFY'), ...token('GOTIFY') }),
  email: at('https://api.resend.com/emails', email, {
    ...{ provider: 'resend', from: 'stapes <backups@example.org>', to: ['ops@example.org'] },
    ...token('MAIL'),
  }),
}

const NAMES = Object.keys(PLACES) as ServiceName[]

export type AllServices = {
  /** The channels, one of each. */
  notify: Record<string, object>
  secrets: Record<string, string>
  outside(request: Request): Promise<Response> | null
  clear(): void
  /** Each was told these, and nothing else. */
  expectTold(titles: readonly RegExp[]): void
  /** What one of them was told so far. */
  toldTo(name: ServiceName): string[]
}

export function allServices(now: () => Date): AllServices {
  const rules = new Map(NAMES.map((name) => [new URL(PLACES[name].address).host, PLACES[name].rule(now)]))
  const told = new Map<string, string[]>()
  const refused: string[] = []
  const answer = async (request: Request, rule: Rule): Promise<Response> => {
    const { host, pathname, search } = new URL(request.url)
    const body = await request.text()
    const taken: Taken = {
      ...{ method: request.method, path: `${pathname}${search}`, body, json: JSON.parse(body) as unknown },
      headers: Object.fromEntries(request.headers),
    }
    const { status, body: said, headers = {} } = rule(taken)
    if (status >= 300) refused.push(`${host} ${status} ${body}`)
    // A message that is edited in its place is none of its own.
    else if (request.method === 'POST') told.set(host, [...(told.get(host) ?? []), plainOf(taken.json)])
    return new Response(said, { status, headers })
  }
  const toldTo = (name: ServiceName) => told.get(new URL(PLACES[name].address).host) ?? []
  return {
    notify: Object.fromEntries(NAMES.map((type) => [`by-${type}`, { type, ...PLACES[type].channel }])),
    secrets: {
      ...Object.fromEntries(NAMES.map((name) => [`NOTIFY_${name.toUpperCase()}`, PLACES[name].address])),
      ...{ NOTIFY_NTFY_TOKEN: 'secret-of-ntfy', NOTIFY_GOTIFY_TOKEN: 'secret-of-gotify' },
      ...{ NOTIFY_MAIL_TOKEN: 'secret-of-mail', NOTIFY_KEY: KEY },
    },
    outside(request) {
      const rule = rules.get(new URL(request.url).host)
      return rule === undefined ? null : answer(request, rule)
    },
    clear: () => told.clear(),
    expectTold(titles) {
      expect(refused).toEqual([])
      const wanted = titles.map((title) => expect.stringMatching(title))
      for (const name of NAMES) expect([name, toldTo(name)]).toEqual([name, wanted])
    },
    toldTo,
  }
}

/** All that a reader sees, without the marks that keep a name from being one. */
function plainOf(json: unknown): string {
  if (typeof json === 'string') return json.replaceAll('\\', '')
  return typeof json === 'object' && json !== null ? Object.values(json).map(plainOf).join('\n') : ''
}
