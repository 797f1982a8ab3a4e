/** A dead man's switch of a policy: a service that is told regularly that all is well, and alarms when it isn't. */

export const PING_TYPES = ['healthchecks', 'uptime-kuma'] as const
type PingType = (typeof PING_TYPES)[number]

/** Names of secrets begin so: a configuration can't name the others, and have them sent somewhere. */
export const PING_SECRET = /^PING_[A-Z0-9_]{1,60}$/

export type PingSettings = {
  type: PingType
  /** Name of the secret that holds the address. */
  secret: string
  /** The address is that of a whole project; the policy's name follows it. */
  slug: boolean
  /** Seconds between two pings, at most. */
  every: number
}
