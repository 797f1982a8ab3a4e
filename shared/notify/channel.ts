/** Where notifications go, as `notify` in stapes.jsonc says it. Addresses and tokens are secrets of the Worker, by name. */

export const SERVICES = ['slack', 'discord', 'mattermost', 'webhook', 'ntfy', 'gotify', 'email'] as const
export type ServiceName = (typeof SERVICES)[number]

/** Whose API sends the e-mail. */
export const PROVIDERS = ['resend', 'postmark', 'sendgrid'] as const
export type Provider = (typeof PROVIDERS)[number]

/** Names of secrets begin so: a configuration can't name the others, such as the key to the relay, and have them sent. */
export const SECRET_NAME = /^NOTIFY_[A-Z0-9_]{1,50}$/

/** The secrets of a channel, by what they are for. */
export const SECRETS = ['url', 'token', 'key'] as const
export type SecretUse = (typeof SECRETS)[number]

/** `critical`: something isn't backed up, or may not be. `warning`: it needs a look. What is for the record isn't told. */
export const GRAVITIES = ['critical', 'warning'] as const
export type Gravity = (typeof GRAVITIES)[number]

export type Channel = {
  name: string
  type: ServiceName
  /** Names of secrets. */
  secrets: Partial<Record<SecretUse, string>>
  email: { provider: Provider; from: string; to: string[] } | null
  /** `critical`: nothing else is told there. */
  severity: Gravity
  /** Null: of all. */
  policies: string[] | null
  remotes: string[] | null
  /** Globs over instance, project/instance or remote/project/instance. */
  match: string[] | null
  timezone: string
  /** Times of day, HH:MM: between them only what is critical is told. */
  quiet: { from: string; to: string } | null
  /** Five-field cron expressions. */
  digest: string[] | null
}

/** What a service needs, and what it may have beside. */
export const NEEDS: Record<ServiceName, { needed: SecretUse[]; optional: SecretUse[] }> = {
  slack: { needed: ['url'], optional: [] },
  discord: { needed: ['url'], optional: [] },
  mattermost: { needed: ['url'], optional: [] },
  webhook: { needed: ['url', 'key'], optional: [] },
  ntfy: { needed: ['url'], optional: ['token'] },
  gotify: { needed: ['url', 'token'], optional: [] },
  email: { needed: ['token'], optional: [] },
}
