/**
 * Overrides of the policy document by an instance or a profile of it: `user.stapes.<setting>` for all policies,
 * `user.stapes.<policy>.<setting>` for one.
 */

import type { InstanceRecord } from '../incus/inventory.ts'
import { type InstanceRef, subjectKey } from '../incus/subject.ts'
import { type PolicyError, show } from './issues.ts'
import { isMark, PREFIX } from './marks.ts'
import { nearest } from './nearest.ts'
import { type BadValue, type OverrideValue, parseOverrideValue, SCOPED } from './override-value.ts'
import type { Policy } from './policy.ts'

/** Where a value comes from. */
export type Origin =
  | { kind: 'default' }
  | { kind: 'defaults' }
  | { kind: 'policy'; policy: string }
  | { kind: 'instance'; key: string }
  | { kind: 'profile'; key: string }

/** `policy`: the one it is about; null: all. */
export type Override = OverrideValue & { policy: string | null; origin: Origin }

/** Its path is the instance and the key: `main/default/web1 user.stapes.keep.daily`. */
type OverrideProblem = PolicyError & { policy: string | null }

export type Overrides = { values: Override[]; problems: OverrideProblem[] }

/** Null where there are none, which is most common and is found without allocating. */
export function readOverrides(
  ref: InstanceRef,
  { config, own }: InstanceRecord,
  policies: readonly Policy[],
): Overrides | null {
  let overrides: Overrides | null = null
  for (const [key, text] of Object.entries(config)) {
    // Incus can't set a key to nothing: an empty value is one that isn't there.
    if (!key.startsWith(PREFIX) || text === '' || isMark(key)) continue
    overrides ??= { values: [], problems: [] }
    const read = readOverride(key, text, policies)
    if ('said' in read) {
      const { policy, expected, said } = read
      const path = `${subjectKey(ref)} ${key}`
      overrides.problems.push({ path, policy, expected, found: show(text), message: `${path}: ${said}` })
    } else {
      const kind = own.includes(key) ? 'instance' : 'profile'
      overrides.values.push({ ...read, origin: { kind, key } })
    }
  }
  return overrides
}

type Refused = BadValue & { policy: string | null }

function readOverride(
  key: string,
  text: string,
  policies: readonly Policy[],
): (OverrideValue & { policy: string | null }) | Refused {
  const place = placeOf(key.slice(PREFIX.length), policies)
  if (place === null) return unknownKey(key, policies)
  const { policy, setting } = place
  const scope = policy === null ? policies : policies.filter(({ name }) => name === policy)
  const parsed = parseOverrideValue(setting, text, scope)
  return parsed.ok ? { ...parsed.value, policy } : { ...parsed.error, policy }
}

type Place = { policy: string | null; setting: string }

/** Which policy and setting a key, without its prefix, is about; null when it is about none. */
function placeOf(key: string, policies: readonly Policy[]): Place | null {
  if (key === 'policy' || SCOPED.includes(key)) return { policy: null, setting: key }
  const policy = policies.find(({ name }) => key.startsWith(`${name}.`))?.name
  const setting = policy === undefined ? '' : key.slice(policy.length + 1)
  return policy !== undefined && SCOPED.includes(setting) ? { policy, setting } : null
}

function unknownKey(key: string, policies: readonly Policy[]): Refused {
  const general = ['policy', ...SCOPED]
  const scoped = policies.flatMap(({ name }) => SCOPED.map((setting) => `${name}.${setting}`))
  const meant = nearest(key.slice(PREFIX.length), [...general, ...scoped])
  const hint = meant === null ? `known are ${general.join(', ')}` : `did you mean "${PREFIX}${meant}"?`
  return { policy: null, expected: `one of ${general.join(', ')}`, said: `unknown key, ${hint}` }
}
