/**
 * Whether a copy fits the profiles and the project on the target. It uses the profiles of the same names there,
 * whose content may differ. And for each limit of a project, Incus requires a limit on each instance.
 */
import type { Profile, Profiles } from '../../../shared/incus/profiles.ts'
import type { ProjectRules } from '../../../shared/incus/project-rules.ts'
import { request } from '../../../shared/incus/routes.ts'
import type { SourceDetails } from '../../../shared/incus/source.ts'
import { volumeIn } from '../../../shared/incus/subject.ts'
import { merged, own } from '../../../shared/own.ts'
import type { CopyAction } from '../../../shared/work/copy/action.ts'
import { call } from '../call.ts'
import { isObject } from '../envelope.ts'
import type { StepIo } from './step-io.ts'

type Fit = {
  /** Why Incus would refuse it, with what to do. */
  refusal: string | null
  /** What will differ there. */
  warnings: string[]
}

/** `profiles` of the target's project; null: they could not be read, and it is tried. */
export function fitOf(
  { target, first, pool }: Pick<CopyAction, 'target' | 'first' | 'pool'>,
  details: SourceDetails,
  profiles: Profiles | null,
  rules: ProjectRules | undefined,
): Fit {
  const nothing: Fit = { refusal: null, warnings: [] }
  if (profiles === null) return nothing
  const place = `project ${target.project} on ${target.remote}`
  const missing = details.profiles.filter((name) => !profiles.has(name))
  // A refresh changes none of the copy's profiles.
  if (missing.length > 0 && first)
    return {
      ...nothing,
      refusal: `${place} has no profile ${missing.join(', ')}: create it there, or say which the copy has ("copy.profiles")`,
    }
  const used = details.profiles.flatMap((name) => profiles.get(name) ?? [])
  const config = merged(...used.map((profile) => profile.config), details.config)
  const root = rootOf(used, details)
  const unlimited = first ? unlimitedIn(rules, config, root) : null
  if (unlimited !== null)
    return {
      ...nothing,
      refusal: `${place} has a total limit for ${unlimited}, so Incus wants a limit on each instance there: set one on the instance, or in a profile there`,
    }
  const warnings = differences(details, config, target.remote)
  const rootless = first && root === null && pool === null
  return {
    refusal: null,
    warnings: rootless
      ? [
          ...warnings,
          `none of its profiles on ${target.remote} has a root disk, so Incus chooses the pool: set "copy.pool"`,
        ]
      : warnings,
  }
}

/**
 * Of a first copy of a volume. In a project without volumes of its own Incus would put it into `default`, where it isn't
 * looked for.
 */
export async function volumeFitOf(
  { target, first }: Pick<CopyAction, 'target' | 'first'>,
  { upstream }: Pick<StepIo, 'upstream'>,
): Promise<Fit> {
  const refused = (refusal: string | null): Fit => ({ refusal, warnings: [] })
  if (!first) return refused(null)
  const { pool = '' } = volumeIn(target.instance) ?? {}
  const place = await call(upstream, target.remote, request('getPool', { pool }))
  if (!place.ok && place.error.status === 404)
    return refused(
      `there is no storage pool "${pool}" on ${target.remote}: name one of its pools ("copy.pool", --pool), or create it there`,
    )
  const list = await call(upstream, target.remote, request('listProjects', {}, { recursion: '1' }))
  if (!list.ok) return refused(list.error.message)
  return hasVolumes(list.value.envelope.metadata, target.project)
    ? refused(null)
    : refused(
        `project ${target.project} on ${target.remote} has no volumes of its own (features.storage.volumes), so Incus would put it into the project default: say so ("copy.project", --project)`,
      )
}

/** The project `default` has them in any case. */
function hasVolumes(projects: unknown, name: string): boolean {
  if (name === 'default' || !Array.isArray(projects)) return true
  const found = projects.find((one) => isObject(one) && one.name === name)
  const config = isObject(found) && isObject(found.config) ? found.config : {}
  return config['features.storage.volumes'] === 'true'
}

/** The root disk that it will have, by its own devices or its profiles there. */
function rootOf(profiles: readonly Profile[], { devices }: SourceDetails): Record<string, string> | null {
  const all = merged(...profiles.map((profile) => profile.devices), devices)
  return Object.values(all).find(({ type, path }) => type === 'disk' && path === '/') ?? null
}

/** Keys that affect whether and how it runs there. */
const isWeighty = (key: string): boolean =>
  /^(limits\.|security\.(secureboot|csm|nesting|privileged)$|raw\.|migration\.stateful$)/.test(key)

/** What stands under `raw.*` may be anything, a secret too: it doesn't leave the server. */
const shown = (config: Record<string, string>, key: string): string =>
  own(config, key) === undefined ? 'not set' : key.startsWith('raw.') ? 'set' : (own(config, key) ?? '')

function differences({ expanded }: SourceDetails, there: Record<string, string>, remote: string): string[] {
  const keys = [...new Set([...Object.keys(expanded), ...Object.keys(there)])].filter(isWeighty).sort()
  return keys
    .filter((key) => own(expanded, key) !== own(there, key))
    .map((key) => {
      const [here, then] = [shown(expanded, key), shown(there, key)]
      return `its profiles differ on ${remote}: ${key} is ${here} on the source and ${then} there; a copy that is started uses the value there`
    })
}

const AGGREGATES = ['limits.cpu', 'limits.memory', 'limits.processes'] as const

/** The limit of a project that the instance would not have a value for (6.0.4, 7.0.2 refuse it so). */
function unlimitedIn(
  rules: ProjectRules | undefined,
  config: Record<string, string>,
  root: Record<string, string> | null,
): string | null {
  const found = AGGREGATES.find((key) => own(rules, key) !== undefined && own(config, key) === undefined)
  if (found !== undefined) return found
  return rules?.['limits.disk'] !== undefined && root?.size === undefined
    ? 'disk (the root disk’s size)'
    : null
}
