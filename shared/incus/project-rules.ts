/**
 * What a project's config forbids, checked before anything is tried. Incus refuses it too, but only at the
 * request itself, and for every instance again. If the certificate can't see a project's config, it is tried.
 */

/** The keys of a project's config that can forbid something, with their values. */
export type ProjectRules = Readonly<Record<string, string>>

export const isRule = (key: string): boolean =>
  key === 'restricted' || key === 'features.profiles' || /^(restricted|limits)\./.test(key)

/** As Incus reads a flag. */
const isTrue = (value: string | undefined): boolean => /^(true|1|yes|on)$/i.test(value ?? '')

/** Whether a restricted project lacks the permission: Incus's default is to block. */
const isBlocked = (rules: ProjectRules | undefined, key: string): boolean =>
  isTrue(rules?.restricted) && (rules?.[key] ?? 'block') === 'block'

/** Why no snapshot can be made in a project, with what to set; null: it can, or it isn't known. */
export const refuseSnapshots = (project: string, rules: ProjectRules | undefined): string | null =>
  isBlocked(rules, 'restricted.snapshots')
    ? `project ${project} is restricted and doesn't allow snapshots: incus project set ${project} restricted.snapshots=allow`
    : null

/** The same of export files. */
export const refuseBackups = (project: string, rules: ProjectRules | undefined): string | null =>
  isBlocked(rules, 'restricted.backups')
    ? `project ${project} is restricted and doesn't allow exports: incus project set ${project} restricted.backups=allow`
    : null

/** Whether a certificate that is restricted to the project may not name a cluster member there. */
export const blocksTargeting = (rules: ProjectRules | undefined): boolean =>
  isBlocked(rules, 'restricted.cluster.target')

type Type = 'container' | 'virtual-machine'

/** By Incus's own count: what is there of each type, and what comes. `cure`: what to do besides raising the limit. */
export function refuseRoom(
  project: string,
  rules: ProjectRules | undefined,
  there: Readonly<Record<Type, number>>,
  type: Type,
  cure = ', or copy into another with "copy.project"',
): string | null {
  const limits = [
    ['limits.instances', there.container + there['virtual-machine'], 'instances'],
    [`limits.${type}s`, there[type], `${type}s`],
  ] as const
  for (const [key, count, what] of limits) {
    const limit = Number(rules?.[key] ?? Number.NaN)
    if (count >= limit)
      return `project ${project} may hold ${limit} ${what} and holds ${count}: raise its ${key}${cure}`
  }
  return null
}
