/** From what a sound document says to what holds: defaults filled in, units in seconds. */

import type { Access } from '../access/access.ts'
import type { CopyGiven } from '../incus/given.ts'
import { type Channel, SECRETS } from '../notify/channel.ts'
import type { PingSettings } from '../ping/settings.ts'
import type { Result } from '../result.ts'
import type { Keep } from '../retention/keep.ts'
import { isZero, parseWithin } from '../retention/within.ts'
import { parseDuration } from '../schedule/duration.ts'
import { parseSchedule } from '../schedule/slots.ts'
import type { AccessSettings } from './access-schema.ts'
import { DEFAULT_BRAKE, DEFAULTS, NEVER } from './defaults.ts'
import type { NotifySettings } from './notify-schema.ts'
import type { Copy, Export, Policy, Selector, Together } from './policy.ts'
import type { Settings } from './schema.ts'

/** `remotes` and `schedule` have no default, nor has a copy's `remote`: a list or text that is empty here is missing. */
export function fill(name: string, own: Settings, defaults: Settings): Policy {
  const { ping: _, together: __, ...filling } = DEFAULTS
  const merged = { ...filling, ...defaults, ...own }
  return {
    name,
    select: fillSelect(own, defaults),
    schedule: merged.schedule === undefined ? [] : sound(parseSchedule(merged.schedule)),
    timezone: merged.timezone,
    jitter: sound(parseDuration(merged.jitter)),
    catchup: sound(parseDuration(merged.catchup)),
    paused: merged.paused,
    stateful: merged.stateful,
    together: fillTogether(own.together ?? defaults.together ?? false),
    keep: withoutZeros(merged.keep),
    grace: sound(parseDuration(merged.grace)),
    expiry: orNull(merged.expiry),
    manual: { expiry: orNull({ ...DEFAULTS.manual, ...defaults.manual, ...own.manual }.expiry) },
    copy: fillCopy(own.copy, defaults.copy),
    export: fillExport(own.export, defaults.export),
    approval: merged.approval,
    promise: {
      snapshot: secondsOrNull(merged.promise?.snapshot),
      copy: secondsOrNull(merged.promise?.copy),
      export: secondsOrNull(merged.promise?.export),
    },
    ping: fillPing(own.ping ?? defaults.ping ?? false),
    brake: merged.brake === false ? null : { ...DEFAULT_BRAKE, ...merged.brake },
    filled: filledFrom(own, defaults),
  }
}

function fillSelect(own: Settings, defaults: Settings): Selector {
  const remotes = remotesOf(own) ?? remotesOf(defaults) ?? []
  return { ...DEFAULTS.select, ...defaults.select, ...own.select, remotes }
}

const fillPing = (said: NonNullable<Settings['ping']>): PingSettings | null => {
  if (said === false) return null
  const { type, url, slug, every } = { ...DEFAULTS.ping, ...said }
  return { type, secret: url.secret, slug, every: sound(parseDuration(every)) }
}

function fillTogether(said: NonNullable<Settings['together']>): Together | null {
  if (said === false) return null
  const { hook, pause, otherwise } = { hook: undefined, ...DEFAULTS.together, ...(said === true ? {} : said) }
  return {
    pause: sound(parseDuration(pause)),
    ...(hook === undefined ? {} : { hook: { name: hook, otherwise } }),
  }
}

const remotesOf = (settings: Settings): string[] | undefined => settings.select?.remotes ?? settings.remotes

/** A policy's own `copy` begins with the one in `defaults`, unless that is false. */
function fillCopy(own: Settings['copy'], defaults: Settings['copy']): Copy | null {
  const said = own ?? defaults ?? false
  if (said === false) return null
  const merged = { ...DEFAULTS.copy, ...(defaults === false ? {} : defaults), ...said }
  return {
    remote: merged.remote ?? '',
    project: merged.project ?? null,
    pool: merged.pool ?? null,
    target: merged.target ?? null,
    transferMode: merged.transferMode,
    allow: merged.allow,
    keep: withoutZeros(merged.keep),
    expiry: orNull(merged.expiry),
    mirror: merged.mirror,
    ...givenOf(merged),
  }
}

function givenOf({ profiles, config, devices }: CopyGiven): Pick<Copy, 'given'> {
  const given = {
    ...(profiles === undefined ? {} : { profiles }),
    ...(config === undefined ? {} : { config }),
    ...(devices === undefined ? {} : { devices }),
  }
  return Object.keys(given).length === 0 ? {} : { given }
}

/** Likewise. */
function fillExport(own: Settings['export'], defaults: Settings['export']): Export | null {
  const said = own ?? defaults ?? false
  if (said === false) return null
  const merged = { ...DEFAULTS.export, ...(defaults === false ? {} : defaults), ...said }
  return {
    to: merged.to ?? '',
    schedule: sound(parseSchedule(merged.schedule)),
    optimized: merged.optimized,
    check: merged.check === NEVER ? null : secondsOrNull(merged.check),
    keep: withoutZeros(merged.keep),
  }
}

export const fillAccess = ({ groups, grants }: AccessSettings): Access => ({
  groups: groups ?? {},
  grants: grants.map(({ who, role, commands, instances }) => ({
    who,
    role,
    commands: commands ?? null,
    instances: instances ?? null,
  })),
})

export const fillNotify = (notify: NotifySettings): Channel[] =>
  Object.entries(notify).map(([name, given]) => fillChannel(name, given))

function fillChannel(name: string, given: NotifySettings[string]): Channel {
  const { type, provider, from, to, severity, policies, remotes, match, timezone, quiet, digest } = given
  const secrets = SECRETS.flatMap((use) => {
    const named = given[use]
    return named === undefined ? [] : [[use, named.secret] as const]
  })
  const isEmail = provider !== undefined && from !== undefined && to !== undefined
  return {
    ...{ name, type, severity: severity ?? 'warning', timezone: timezone ?? DEFAULTS.timezone },
    secrets: Object.fromEntries(secrets),
    email: isEmail ? { provider, from, to } : null,
    policies: policies ?? null,
    remotes: remotes ?? null,
    match: match ?? null,
    quiet: quiet ?? null,
    digest: digest === undefined ? null : sound(parseSchedule(digest)),
  }
}

const secondsOrNull = (span: string | undefined): number | null =>
  span === undefined ? null : sound(parseDuration(span))

export const orNull = (expiry: string): string | null => (expiry === NEVER ? null : expiry)

/** As in restic, 0 is no rule, nor is "0d": `{ "daily": 0 }` is an empty keep, which removes nothing. */
export const withoutZeros = (keep: Keep): Keep =>
  Object.fromEntries(
    Object.entries(keep).filter(([, rule]) =>
      typeof rule === 'string' ? !isZero(sound(parseWithin(rule))) : rule !== 0,
    ),
  )

/** The paths at which a policy has values, for their provenance. */
export const SETTINGS = [
  'select.remotes',
  'select.projects',
  'select.instances',
  'select.types',
  'select.volumes',
  'select.buckets',
  'select.running',
  'select.config',
  'select.exclude',
  'schedule',
  'timezone',
  'jitter',
  'catchup',
  'paused',
  'stateful',
  'together',
  'keep',
  'grace',
  'expiry',
  'manual.expiry',
  'copy',
  'copy.remote',
  'copy.project',
  'copy.pool',
  'copy.target',
  'copy.profiles',
  'copy.config',
  'copy.devices',
  'copy.transferMode',
  'copy.allow',
  'copy.keep',
  'copy.expiry',
  'copy.mirror',
  'export',
  'export.to',
  'export.schedule',
  'export.optimized',
  'export.check',
  'export.keep',
  'approval',
  'promise.snapshot',
  'promise.copy',
  'promise.export',
  'ping',
  'brake',
] as const

type Setting = (typeof SETTINGS)[number]

function filledFrom(own: Settings, defaults: Settings): Record<string, 'default' | 'defaults'> {
  const filled: Record<string, 'default' | 'defaults'> = {}
  for (const path of SETTINGS) {
    if (!says(own, path)) filled[path] = says(defaults, path) ? 'defaults' : 'default'
  }
  return filled
}

function says(settings: Settings, path: Setting): boolean {
  if (path === 'select.remotes') return remotesOf(settings) !== undefined
  const [first = '', second] = path.split('.')
  const value: unknown = Object.getOwnPropertyDescriptor(settings, first)?.value
  if (second === undefined) return value !== undefined
  return typeof value === 'object' && value !== null && Object.hasOwn(value, second)
}

/** What the schema let through, its parsers take: anything else is a bug of ours. */
function sound<T>(result: Result<T, unknown>): T {
  if (!result.ok)
    throw new Error(`the schema let through what can't be parsed: ${JSON.stringify(result.error)}`)
  return result.value
}
