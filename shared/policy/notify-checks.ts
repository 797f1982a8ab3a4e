/** Checks over a whole channel, and over channels and policies together. */
import type { Channel, SecretUse } from '../notify/channel.ts'
import { NEEDS, SECRETS } from '../notify/channel.ts'
import { type PolicyError, problem, show } from './issues.ts'
import { nearest } from './nearest.ts'
import type { NotifySettings } from './notify-schema.ts'
import { remotesOf } from './places.ts'
import type { Policy } from './policy.ts'

export const checkNotify = (channels: readonly Channel[], policies: readonly Policy[]): PolicyError[] =>
  channels.flatMap((channel) => [...checkPolicies(channel, policies), ...checkRemotes(channel, policies)])

const FOR: Record<SecretUse, string> = {
  url: 'where its messages go',
  token: 'its token',
  key: 'the key that signs its messages',
}

/** What its service lacks, and what it has no use for. */
export function checkChannel(name: string, given: NotifySettings[string]): PolicyError[] {
  const { type } = given
  const { needed, optional } = NEEDS[type]
  const path = ['notify', name]
  const secrets = SECRETS.flatMap((use) => {
    if (needed.includes(use) && given[use] === undefined)
      return [problem([...path, use], `a secret with ${FOR[use]}, such as ${example(use)}`, 'nothing')]
    if (given[use] !== undefined && !needed.includes(use) && !optional.includes(use))
      return [problem([...path, use], `nothing, as ${type} has no use for it`, 'an object')]
    return []
  })
  const email = (['provider', 'from', 'to'] as const).flatMap((key) => {
    const isGiven = given[key] !== undefined
    if (isGiven === (type === 'email')) return []
    return isGiven
      ? [problem([...path, key], `nothing, as only e-mail has it`, show(given[key]))]
      : [problem([...path, key], MISSING[key], 'nothing')]
  })
  return [...secrets, ...email]
}

const example = (use: SecretUse): string => `{ "secret": "NOTIFY_${use.toUpperCase()}" }`

const MISSING = {
  provider: 'the provider that sends the e-mail, such as "resend"',
  from: 'the sender, such as "backups@example.org"',
  to: 'who gets it, such as ["ops@example.org"]',
}

const checkPolicies = ({ name, policies }: Channel, all: readonly Policy[]): PolicyError[] =>
  unknownIn(
    policies,
    all.map((policy) => policy.name),
    ['notify', name, 'policies'],
    'the name of a policy',
  )

const checkRemotes = ({ name, remotes }: Channel, all: readonly Policy[]): PolicyError[] =>
  unknownIn(remotes, remotesOf(all), ['notify', name, 'remotes'], 'a remote that a policy names')

function unknownIn(
  given: readonly string[] | null,
  known: readonly string[],
  path: readonly string[],
  expected: string,
): PolicyError[] {
  return (given ?? []).flatMap((one, at) => {
    if (known.includes(one)) return []
    const meant = nearest(one, [...new Set(known)])
    const hint = meant === null ? `known are ${[...new Set(known)].join(', ')}` : `did you mean "${meant}"?`
    return [problem([...path, at], expected, show(one), hint)]
  })
}
