/** What exists and no policy backs up: because nobody thought of it, or because somebody wanted it so. */
import type { InstanceRecord } from '../incus/inventory.ts'
import { parseSubject, pathOf } from '../incus/subject.ts'
import { own } from '../own.ts'
import type { World } from '../plan/world.ts'
import type { Coverage } from '../policy/cover.ts'
import { compilePaths } from '../policy/glob.ts'
import { REPLICA_OF } from '../policy/marks.ts'
import { EXCLUDE, fitsPlace, isExcluded } from '../policy/misplaced.ts'
import { isVolume } from '../policy/volumes.ts'
import type { Facts } from './facts.ts'

type Unprotected = Pick<Facts, 'uncovered' | 'leftOut'>

/** Of one place, or for one reason, so many are noted: a server may list any number of names. */
export const MOST_NOTED = 500

/** On the remotes that policies select from. Copies are none of it. Of a silent remote, what was known before. */
export function unprotectedIn(
  coverages: readonly Coverage[],
  world: World,
  before: Unprotected | null,
): Unprotected {
  const whyOf = judgeOf(coverages)
  const uncovered = new Map<string, string[]>()
  const leftOut = new Map<string, string[]>()
  for (const remote of new Set(coverages.flatMap(({ policy }) => policy.select.remotes))) {
    const reply = own(world.remotes, remote)
    if (reply?.ok !== true) {
      for (const [place, names] of Object.entries(before?.uncovered ?? {}))
        if (place.startsWith(`${remote}/`)) add(uncovered, place, names.split(' '))
      addFormer(leftOut, before?.leftOut, remote)
      continue
    }
    for (const record of reply.inventory.instances) {
      const place = `${remote}/${record.project}`
      const why = whyOf(record, remote)
      // Of volumes that nobody covers, those that are attached are told with their instances.
      if (why === 'nobody' && isVolume(record)) continue
      if (why === 'nobody') add(uncovered, place, [record.name])
      else if (why !== null) add(leftOut, why.reason, [`${place}/${record.name}`])
    }
  }
  const found = { uncovered: noted(uncovered), leftOut: noted(leftOut) }
  return Object.fromEntries(Object.entries(found).filter(([, names]) => Object.keys(names).length > 0))
}

/** Of what was known before, what is on that remote. */
export function addFormer(
  to: Map<string, string[]>,
  before: Readonly<Record<string, string>> | undefined,
  remote: string,
): void {
  for (const [group, keys] of Object.entries(before ?? {}))
    add(
      to,
      group,
      keys.split(' ').filter((key) => key.startsWith(`${remote}/`)),
    )
}

export function add(to: Map<string, string[]>, key: string, names: readonly string[]): void {
  const known = to.get(key) ?? []
  known.push(...names)
  if (known.length > 0) to.set(key, known)
}

export const noted = (found: ReadonlyMap<string, string[]>): Record<string, string> =>
  Object.fromEntries([...found].map(([key, names]) => [key, names.sort().slice(0, MOST_NOTED).join(' ')]))

/** Null: it is covered, or a copy, or its keys aren't known. */
function judgeOf(
  coverages: readonly Coverage[],
): (record: InstanceRecord, remote: string) => 'nobody' | { reason: string } | null {
  const policies = coverages.map(({ policy }) => policy)
  /** One beside its source, where no policy puts copies, was brought back. One that a policy selects is a problem of it. */
  const isCopy = (key: string, { config, project, name }: InstanceRecord): boolean => {
    const of = config[REPLICA_OF]
    if (of === undefined) return false
    const [remote, source] = [pathOf(key)[0], parseSubject(of)]
    if (skipped.has(key) || source?.remote !== remote) return true
    return fitsPlace({ remote, project, instance: name }, of, policies)
  }
  const covered = new Set(coverages.flatMap((one) => one.covered.map(({ key }) => key)))
  const skipped = new Map(coverages.flatMap((one) => one.skipped.map(({ key, reason }) => [key, reason])))
  const excluded = compilePaths(coverages.flatMap(({ policy }) => policy.select.exclude))
  return (record, remote) => {
    const key = `${remote}/${record.project}/${record.name}`
    if (covered.has(key) || isCopy(key, record)) return null
    const reason = skipped.get(key) ?? whyExcluded(record)
    if (reason !== null) return record.offline === true ? null : { reason }
    return excluded([remote, record.project, record.name])
      ? { reason: "excluded by a policy's select.exclude" }
      : 'nobody'
  }
}

/** One that no policy would reach anyway. */
function whyExcluded(record: InstanceRecord): string | null {
  if (!isExcluded(record)) return null
  return `excluded by ${record.own.includes(EXCLUDE) ? 'its own' : "a profile's"} ${EXCLUDE}`
}
