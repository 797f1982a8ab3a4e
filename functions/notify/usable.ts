/** Which of what a configuration names can't be used, before it is needed: its secrets are not set, or of a wrong form. */
import type { Channel } from '../../shared/notify/channel.ts'
import type { ChannelState, Notices } from '../../shared/notify/notices.ts'
import { own } from '../../shared/own.ts'
import { PING_SECRET } from '../../shared/ping/settings.ts'
import type { Config } from '../../shared/policy/policy.ts'
import { addressProblem, secretOf, type Vault } from '../vault.ts'
import { secretsOf } from './secrets.ts'

export function secretProblems({ notify, policies }: Config, vault: Vault): string[] {
  const channels = (notify ?? []).flatMap((channel) => {
    const secrets = secretsOf(channel, vault)
    return secrets.ok ? [] : [`nobody is told by the channel "${channel.name}": ${secrets.error}`]
  })
  const pings = policies.flatMap(({ name, ping }) => {
    if (ping == null) return []
    const secret = secretOf(vault, ping.secret, { names: PING_SECRET, problemOf: addressProblem })
    return secret.ok ? [] : [`policy ${name} sends no pings: ${secret.error}`]
  })
  return [...channels, ...pings]
}

/** A channel that can't be used fails, though nothing was to be told there yet. */
export function withUnusable(
  notices: Notices,
  channels: readonly Channel[],
  vault: Vault,
  now: Date,
): Notices {
  const failing = channels.flatMap((as): [string, ChannelState][] => {
    const state = own(notices.channels, as.name)
    const secrets = secretsOf(as, vault)
    if (secrets.ok || state?.failing !== undefined) return []
    const at = now.toISOString()
    const wrong = { since: at, count: 1, reason: secrets.error, retryAt: at, final: true }
    return [[as.name, { ...state, as, failing: wrong }]]
  })
  if (failing.length === 0) return notices
  const all = new Map([...Object.entries(notices.channels), ...failing])
  return { ...notices, channels: Object.fromEntries(all) }
}
