/** Names and globs of a policy that match nothing, so that typing errors are noticed. */
import { compileGlobs, isLiteral } from './glob.ts'
import { nearest } from './nearest.ts'
import type { Policy } from './policy.ts'
import type { Observed, Selection } from './select.ts'
import { ATTACHED } from './volumes.ts'

type Unmatched = {
  /** Names without a wildcard that no instance has, and whole policies that reach nothing. */
  warnings: string[]
  /** Globs that match nothing beside others that do: what they are for may come and go. */
  remarks: string[]
}

/** Nothing is reported where a remote or a project could not be read. */
export function unmatchedOf(
  policy: Policy,
  { selected, skipped, absent, buckets }: Selection,
  remotes: ReadonlyMap<string, Observed>,
): Unmatched {
  const { select, name, paused } = policy
  const seen = select.remotes.flatMap((remote) => remotes.get(remote) ?? [])
  if (paused || seen.length < select.remotes.length || absent.length > 0) return { warnings: [], remarks: [] }
  const inProject = compileGlobs(select.projects)
  const names = seen.flatMap(({ candidates }) =>
    candidates.filter(({ ref }) => inProject(ref.project)).map(({ ref }) => ref.instance),
  )
  const volumes = unmatchedVolumes(select, names)
  const idle = select.instances.filter((pattern) => !names.some(compileGlobs([pattern])))
  const where = `on ${select.remotes.join(', ')} in project ${select.projects.join(', ')}`
  if (selected.length + skipped.length + buckets.length === 0) {
    const [literal] = idle.filter(isLiteral)
    const meant = literal === undefined ? '' : hintOf(literal, names)
    const what = [...select.instances, ...(select.volumes ?? []), ...(select.buckets ?? [])].join(', ')
    return {
      warnings: [`it matches no instance (${what} ${where}), so it backs up nothing${meant}`],
      remarks: [],
    }
  }
  // What it covers was put under it by keys: then its own globs are meant to match nothing.
  if (idle.length === select.instances.length) return { warnings: volumes, remarks: [] }
  const isGone = "or the relay's certificate may not see it"
  return {
    warnings: [
      ...idle
        .filter(isLiteral)
        .map((literal) => `there is no instance "${literal}" ${where}, ${isGone}${hintOf(literal, names)}`),
      ...volumes,
    ],
    remarks: idle
      .filter((pattern) => !isLiteral(pattern))
      .map((glob) => `policy ${name}: no instance matches "${glob}" ${where}`),
  }
}

/** Of those that are named without a wildcard. */
const unmatchedVolumes = (
  { volumes = [], remotes, projects }: Policy['select'],
  names: readonly string[],
): string[] =>
  volumes
    .filter((one) => one !== ATTACHED && isLiteral(one) && !names.includes(one))
    .map(
      (one) =>
        `there is no custom volume "${one}" on ${remotes.join(', ')} in project ${projects.join(', ')}${hintOf(one, names)}`,
    )

function hintOf(literal: string, names: readonly string[]): string {
  const meant = nearest(literal, names)
  return meant === null ? '' : `; did you mean "${meant}"?`
}
