/** Parses the document of `stapes.jsonc`, or gives everything that is wrong with it. */
import type { Access } from '../access/access.ts'
import { commands } from '../command/commands.ts'
import { err, ok, type Result } from '../result.ts'
import { checkAccess } from './access-checks.ts'
import { accessSchema } from './access-schema.ts'
import { checkName, checkPairs, checkPolicy } from './checks.ts'
import { fill, fillAccess, fillNotify } from './fill.ts'
import { fromIssue, type PolicyError, problem } from './issues.ts'
import { checkChannel, checkNotify } from './notify-checks.ts'
import { channelSchema, type NotifySettings } from './notify-schema.ts'
import type { Config, Policy } from './policy.ts'
import { documentSchema, settingsSchema } from './schema.ts'

/**
 * All errors are found at once: those of the shape, and for policies of valid shape also those of the whole
 * policy, or of two policies together.
 */
export function parseConfig(document: unknown): Result<Config, PolicyError[]> {
  const parsed = documentSchema.safeParse(document, { reportInput: true })
  const errors = parsed.success ? [] : parsed.error.issues.flatMap((issue) => fromIssue(issue))
  const names = Object.keys(member(document, 'policies'))
  errors.push(...names.flatMap(checkName), ...unnamable(document))
  const policies = soundPolicies(document)
  errors.push(...policies.flatMap(checkPolicy), ...checkPairs(policies))
  const access = soundAccess(document)
  if (access !== null) errors.push(...checkAccess(access, commands))
  const notify = soundNotify(document)
  errors.push(...Object.entries(notify).flatMap(([name, channel]) => checkChannel(name, channel)))
  const channels = fillNotify(notify)
  // What a broken policy is called, or names, isn't known.
  if (policies.length === names.length) errors.push(...checkNotify(channels, policies))
  if (errors.length > 0) return err(errors)
  return ok({
    policies,
    ...(access === null ? {} : { access }),
    ...(channels.length === 0 ? {} : { notify: channels }),
  })
}

/** zod leaves this key out of a map without a word, and a condition of a policy would be gone. */
const NO_KEY = '__proto__'

function unnamable(document: unknown): PolicyError[] {
  const policies = member(document, 'policies')
  const selecting = [['defaults'], ...Object.keys(policies).map((name) => ['policies', name])].map((path) => [
    ...path,
    'select',
    'config',
  ])
  return [['access', 'groups'], ['notify'], ...selecting]
    .filter((path) => Object.hasOwn(path.reduce(member, document as object), NO_KEY))
    .map((path) => problem([...path, NO_KEY], 'another name', `"${NO_KEY}"`))
}

/** Null also where there is none. */
function soundAccess(document: unknown): Access | null {
  const access = accessSchema.safeParse(member(document, 'access'))
  return access.success ? fillAccess(access.data) : null
}

/** Those of valid shape. */
const soundNotify = (document: unknown): NotifySettings =>
  Object.fromEntries(
    Object.entries(member(document, 'notify')).flatMap(([name, value]) => {
      const channel = channelSchema.safeParse(value)
      return channel.success ? [[name, channel.data] as const] : []
    }),
  )

/** None while `defaults` is broken, since it might be what they lack. */
function soundPolicies(document: unknown): Policy[] {
  const defaults = settingsSchema.safeParse(member(document, 'defaults'))
  if (!defaults.success) return []
  return Object.entries(member(document, 'policies')).flatMap(([name, value]) => {
    const own = settingsSchema.safeParse(value)
    return own.success ? [fill(name, own.data, defaults.data)] : []
  })
}

/** An absent member is an empty object here; that it must be there is the schema's business. */
function member(document: unknown, key: string): object {
  if (typeof document !== 'object' || document === null) return {}
  const value: unknown = Object.getOwnPropertyDescriptor(document, key)?.value
  return typeof value === 'object' && value !== null ? value : {}
}
