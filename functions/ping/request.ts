/** A ping as its service takes it. */
import type { Ping, PingState } from '../../shared/ping/pings.ts'

export type Outgoing = { method: 'GET' | 'POST'; url: string; body?: string }

/** `address`: the secret's value, an address. `run`: an id of the run, by which the service joins start and end. */
export function requestOf(ping: Ping, address: string, run: string): Outgoing {
  const url = new URL(address)
  url.hash = ''
  url.search = ''
  return ping.settings.type === 'healthchecks' ? healthcheck(ping, url, run) : kuma(ping, url)
}

const ENDS: Record<PingState, string> = { start: '/start', up: '', down: '/fail' }

/** healthchecks.io: the state is in the path, the reason in the body. A check that isn't there yet is made. */
function healthcheck({ policy, settings, state, text }: Ping, url: URL, run: string): Outgoing {
  const slug = settings.slug ? `/${policy}` : ''
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${slug}${ENDS[state]}`
  url.searchParams.set('rid', run)
  if (settings.slug) url.searchParams.set('create', '1')
  return { method: 'POST', url: url.href, body: text }
}

/** Characters of Uptime Kuma's message. */
const LONGEST = 200

/** Uptime Kuma's push form; it knows no start. */
function kuma({ settings, policy, state, text }: Ping, url: URL): Outgoing {
  if (settings.slug) url.pathname = `${url.pathname.replace(/\/+$/, '')}/${policy}`
  url.searchParams.set('status', state === 'down' ? 'down' : 'up')
  url.searchParams.set('msg', text === '' ? 'OK' : text.replaceAll('\n', '; ').slice(0, LONGEST))
  url.searchParams.set('ping', '')
  return { method: 'GET', url: url.href }
}
