/** Checks over several values: missing ones, a copy onto its own source, policies that contradict each other. */
import { MANUAL, POLICY_NAME, SAFETY } from '../incus/snapshot-name.ts'
import { coversBuckets } from './buckets.ts'
import { LONGEST_PAUSE } from './defaults.ts'
import { compileGlobs, mayOverlap } from './glob.ts'
import { type PolicyError, problem, show } from './issues.ts'
import { RESERVED } from './marks.ts'
import type { Copy, Policy } from './policy.ts'
import { ATTACHED, coversVolumes } from './volumes.ts'

const TWO_TICKS = 120

export function checkName(name: string): PolicyError[] {
  const path = ['policies', name]
  if (!POLICY_NAME.test(name)) {
    const expected =
      'a policy name of lower-case letters, digits and "-", at most 40, a letter first (it begins the names of the snapshots)'
    return [problem(path, expected, show(name))]
  }
  if (name === SAFETY) {
    const hint = 'stapes uses it for the snapshots taken before a restore'
    return [problem(path, `a policy name other than ${SAFETY}`, show(name), hint)]
  }
  if (name === MANUAL) {
    const hint =
      'stapes uses it for the snapshots taken on request. Rename the policy: snapshots that it has taken stay, and neither "keep" nor retention counts them any more'
    return [problem(path, `a policy name other than ${MANUAL}`, show(name), hint)]
  }
  if (!RESERVED.includes(name)) return []
  const expected = `a policy name other than ${RESERVED.join(', ')}`
  return [problem(path, expected, show(name), `user.stapes.${name} has a meaning of its own`)]
}

export function checkPolicy(policy: Policy): PolicyError[] {
  const path = ['policies', policy.name]
  const errors: PolicyError[] = []
  if (policy.select.remotes.length === 0) {
    const hint = 'give it here or in "defaults"'
    errors.push(problem([...path, 'remotes'], 'a list of remotes, such as ["main"]', 'nothing', hint))
  }
  if (policy.schedule.length === 0) {
    const hint = 'give it here or in "defaults"'
    errors.push(problem([...path, 'schedule'], 'a schedule, such as "@hourly"', 'nothing', hint))
  }
  if (coversBuckets(policy.select) && policy.export == null)
    errors.push(
      problem(
        [...path, 'export'],
        'an object, such as { "to": "nas" }',
        'nothing',
        '"select.buckets" covers buckets, and these have no snapshots: they are only exported',
      ),
    )
  if (
    policy.select.instances.length === 0 &&
    !coversVolumes(policy.select) &&
    !coversBuckets(policy.select)
  ) {
    const expected = 'a list of at least one instance name or glob, such as ["web*"]'
    errors.push(
      problem(
        [...path, 'select', 'instances'],
        expected,
        '[]',
        'only beside "volumes" or "buckets" it may be empty',
      ),
    )
  }
  if (policy.catchup < policy.jitter + TWO_TICKS) {
    const expected = 'a span that is at least two minutes longer than the jitter'
    const hint = 'a tick comes once a minute, and the instance with the longest delay must still be in time'
    errors.push(problem([...path, 'catchup'], expected, `${policy.catchup}s`, hint))
  }
  if (policy.export?.to === '')
    errors.push(
      problem([...path, 'export', 'to'], 'the store that the files go to, such as "nas"', 'nothing'),
    )
  errors.push(...checkTogether(policy))
  return policy.copy === null ? errors : [...errors, ...checkCopy(policy, policy.copy)]
}

function checkTogether({ name, select, stateful, together }: Policy): PolicyError[] {
  if (together == null) return []
  const path = ['policies', name]
  const errors: PolicyError[] = []
  if (together.hook === undefined && !(select.volumes ?? []).includes(ATTACHED))
    errors.push(
      problem(
        [...path, 'select', 'volumes'],
        `"${ATTACHED}" among them`,
        JSON.stringify(select.volumes ?? []),
        '"together" takes an instance and its attached volumes as one, so the policy has to cover those',
      ),
    )
  if (stateful !== false)
    errors.push(
      problem(
        [...path, 'stateful'],
        'false beside "together"',
        JSON.stringify(stateful),
        'while an instance stands still, its memory can not be written: give snapshots with memory a policy of their own',
      ),
    )
  if (together.pause < 1 || together.pause > LONGEST_PAUSE)
    errors.push(problem([...path, 'together', 'pause'], 'a span from 1s to 5m', `${together.pause}s`))
  return errors
}

function checkCopy(policy: Policy, copy: Copy): PolicyError[] {
  const path = ['policies', policy.name, 'copy', 'remote']
  if (copy.remote === '') {
    return [problem(path, 'the remote that holds the copy, such as "backup"', 'nothing')]
  }
  if (!policy.select.remotes.includes(copy.remote)) return []
  if (copy.project !== null && !compileGlobs(policy.select.projects)(copy.project)) return []
  const expected =
    'a remote that the policy does not select from, or with "copy.project" a project that it does not select'
  return [problem(path, expected, `${show(copy.remote)}, where an instance would be copied onto itself`)]
}

/** One replica can't be in two pools, nor be sent in two ways: policies that may share one have to agree. */
export function checkPairs(policies: readonly Policy[]): PolicyError[] {
  return policies.flatMap((policy, index) =>
    policies.slice(0, index).flatMap((earlier) => {
      if (policy.copy === null || earlier.copy === null || !mayShareReplica(policy, earlier)) return []
      return disagreements(policy.name, policy.copy, earlier.name, earlier.copy)
    }),
  )
}

function mayShareReplica(one: Policy, other: Policy): boolean {
  const [a, b] = [one.select, other.select]
  return (
    one.copy?.remote === other.copy?.remote &&
    (one.copy?.project ?? null) === (other.copy?.project ?? null) &&
    a.remotes.some((remote) => b.remotes.includes(remote)) &&
    a.types.some((type) => b.types.includes(type)) &&
    mayOverlap(a.projects, b.projects) &&
    mayOverlap(a.instances, b.instances)
  )
}

function disagreements(name: string, copy: Copy, otherName: string, other: Copy): PolicyError[] {
  const keys = (['pool', 'target', 'transferMode', 'allow'] as const).filter(
    (key) => copy[key] !== other[key],
  )
  const apart = JSON.stringify(copy.given ?? {}) !== JSON.stringify(other.given ?? {})
  const given = apart
    ? [
        problem(
          ['policies', name, 'copy'],
          `the same "profiles", "config" and "devices" as in policies.${otherName}.copy`,
          'others',
          'both may copy the same instances there',
        ),
      ]
    : []
  const differing = keys.map((key) => {
    const expected = `${other[key] === null ? 'none' : show(other[key])}, as in policies.${otherName}.copy.${key}`
    const found = copy[key] === null ? 'none' : show(copy[key])
    return problem(['policies', name, 'copy', key], expected, found, 'both may copy the same instances there')
  })
  return [...differing, ...given]
}
