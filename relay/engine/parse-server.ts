/** `GET /1.0` and the projects: which server it is, what it can do, and which projects the relay may see. */
import type { RemoteInventory } from '../../shared/incus/inventory.ts'
import { isProjectName, isToken } from '../../shared/incus/names.ts'
import { isRule } from '../../shared/incus/project-rules.ts'
import { safeText } from '../../shared/safe-text.ts'
import { MOST } from './bounds.ts'
import { isObject, text } from './envelope.ts'

type Server = RemoteInventory['server'] & {
  /** Whether snapshots stand inside their volume's row, and no longer in rows of their own. */
  nested: boolean
}

type Identified =
  | { state: 'trusted'; server: Server }
  | { state: 'untrusted' }
  /** `product` and its version, as it calls itself. */
  | { state: 'not-incus'; product: string }

/** The volumes listing of servers with this extension has no rows of snapshots (6.0.6, 6.19 and 7.0 on). */
const NESTED = 'storage_volume_full'

/** Null when the metadata is no server. */
export function parseServer(metadata: unknown): Identified | null {
  if (!isObject(metadata)) return null
  if (metadata.auth !== 'trusted') return { state: 'untrusted' }
  const { environment, api_extensions: extensions } = metadata
  if (!isObject(environment)) return null
  const [product, version] = [word(environment.server), word(environment.server_version)]
  // LXD serves the same calls and answers them with other words, and without dates in its listings.
  if (product !== 'incus')
    return { state: 'not-incus', product: `${product || 'a server without a name'} ${version}`.trim() }
  const fingerprint = text(environment.certificate_fingerprint)
  if (!isToken(fingerprint) || !Array.isArray(extensions)) return null
  const clustered = environment.server_clustered === true
  return {
    state: 'trusted',
    server: { fingerprint, version, clustered, nested: extensions.includes(NESTED) },
  }
}

/** A name or a version, of at most 100 characters. */
const word = (value: unknown): string => safeText(text(value), 100)

/**
 * `GET /1.0/projects?recursion=1`: the URLs of a plain list are encoded by some versions and raw in others. One
 * whose name can't be used is left out; the instances in it are reported.
 */
export function parseProjects(
  metadata: unknown,
): Required<Pick<RemoteInventory, 'projects' | 'projectRules'>> | null {
  if (!Array.isArray(metadata) || metadata.length > MOST.projects) return null
  const listed = metadata.map((project) => (isObject(project) ? project : {}))
  if (listed.some(({ name }) => text(name) === '')) return null
  const all = listed.filter(({ name }) => isProjectName(text(name)))
  const projects = all.map(({ name }) => text(name))
  const rules = all.map(({ name, config }) => [text(name), rulesOf(config)] as const)
  const projectRules = Object.fromEntries(rules.filter(([, found]) => Object.keys(found).length > 0))
  return { projects, projectRules }
}

/** Characters: lists of allowed paths are the longest. */
const LONGEST_RULE = 4000

/** Own profiles are the default, so for most projects nothing is listed. */
function rulesOf(config: unknown): Record<string, string> {
  const entries = isObject(config) ? Object.entries(config) : []
  return Object.fromEntries(
    entries
      .filter(([key, value]) => isRule(key) && !(key === 'features.profiles' && value === 'true'))
      .map(([key, value]) => [safeText(key, LONGEST_RULE), safeText(text(value), LONGEST_RULE)]),
  )
}
