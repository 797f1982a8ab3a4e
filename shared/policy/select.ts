/** Which instances and custom volumes a policy covers, and why others in its reach are left out. */

import type { InstanceRecord, RemoteInventory } from '../incus/inventory.ts'
import type { ProjectRules } from '../incus/project-rules.ts'
import { type InstanceRef, subjectKey } from '../incus/subject.ts'
import { own } from '../own.ts'
import { bucketsBy, coversBuckets } from './buckets.ts'
import { compileGlobs, compilePaths, isLiteral } from './glob.ts'
import { isTrue, NO_VOLUMES, REPLICA_OF } from './marks.ts'
import { inForce } from './merge.ts'
import { type Override, type Overrides, readOverrides } from './overrides.ts'
import type { Policy, Selector } from './policy.ts'
import type { SkipReason } from './skip.ts'
import { coversVolumes, isVolume, volumesBy } from './volumes.ts'

/** An observed instance with its overrides. */
export type Candidate = { ref: InstanceRef; key: string; record: InstanceRecord; overrides: Overrides | null }

/** A remote that answered. */
export type Observed = {
  projects: readonly string[]
  rules: Readonly<Record<string, ProjectRules>>
  /** Why instances of it are left out, in words. */
  unusable: readonly string[]
  /** What exports have left on it, in words. */
  leftovers: readonly string[]
  candidates: readonly Candidate[]
  buckets: readonly Candidate[]
}

/** Overrides are read once here, for all policies. */
export function observe(remote: string, inventory: RemoteInventory, policies: readonly Policy[]): Observed {
  const candidateOf = (record: InstanceRecord): Candidate => {
    const ref = { remote, project: record.project, instance: record.name }
    // A replica may carry its source's keys, which are not about it.
    const overrides = record.config[REPLICA_OF] === undefined ? readOverrides(ref, record, policies) : null
    return { ref, key: subjectKey(ref), record, overrides }
  }
  const { projects, projectRules: rules = {}, unusable = [], leftovers = [] } = inventory
  const candidates = inventory.instances.map(candidateOf)
  const buckets = (inventory.buckets ?? []).map(candidateOf)
  return { projects, rules, unusable, leftovers, candidates, buckets }
}

export type Selection = {
  selected: Candidate[]
  /** Only instances that match by remote, project, name, type and keys, with the reason. */
  skipped: { candidate: Candidate; reason: SkipReason }[]
  /** Projects that the policy names and that the remote doesn't have: never read as "nothing there". */
  absent: { remote: string; project: string }[]
  buckets: Candidate[]
}

/** Remotes that didn't answer aren't in `remotes`; saying so is the caller's part. */
export function selectInstances(policy: Policy, remotes: ReadonlyMap<string, Observed>): Selection {
  const { select } = policy
  const judge = judgeOf(policy)
  const selection: Selection = { selected: [], skipped: [], absent: [], buckets: [] }
  for (const remote of select.remotes) {
    const observed = remotes.get(remote)
    if (observed === undefined) continue
    const missing = select.projects.filter(
      (project) => isLiteral(project) && !observed.projects.includes(project),
    )
    selection.absent.push(...missing.map((project) => ({ remote, project })))
    const settle = (candidate: Candidate, verdict: Verdict): void => {
      if (verdict === 'selected') selection.selected.push(candidate)
      else if (verdict !== 'unmatched') selection.skipped.push({ candidate, reason: verdict })
    }
    for (const one of observed.candidates) if (!isVolume(one.record)) settle(one, judge(one))
    if (coversBuckets(select)) {
      const isNamed = bucketsBy(select)
      const judgeBucket = judgeOf({ ...policy, select: { ...select, running: false } }, ({ ref, record }) =>
        isNamed(ref, record),
      )
      for (const one of observed.buckets) {
        const verdict = judgeBucket(one)
        if (verdict === 'selected') selection.buckets.push(one)
        else settle(one, verdict)
      }
    }
    if (!coversVolumes(select)) continue
    const reaches = volumesBy(select, usersIn(selection.selected))
    const judgeVolume = judgeOf(policy, ({ ref, record }) => reaches(ref, record))
    for (const one of observed.candidates) if (isVolume(one.record)) settle(one, judgeVolume(one))
  }
  return selection
}

/** Keys of those whose attached volumes are covered with them. */
const usersIn = (selected: readonly Candidate[]): ReadonlySet<string> =>
  new Set(selected.flatMap(({ key, record }) => (isTrue(record.config[NO_VOLUMES]) ? [] : [key])))

type Verdict = 'selected' | 'unmatched' | SkipReason

/**
 * The keys of an offline instance aren't known. It is covered if it may be, so that its slot is recorded as
 * failed. Its overrides, and whether it is a copy, are seen when its member is back; until then nothing is
 * done.
 */
function judgeOf(
  policy: Policy,
  reaches: (candidate: Candidate) => boolean = reachOf(policy.select),
): (candidate: Candidate) => Verdict {
  const leavesOut = outOf(policy.select)
  return (candidate) => {
    const { record, overrides } = candidate
    const own = overrides === null ? [] : inForce(overrides, policy.name)
    const named = own.find((one) => one.setting === 'policy')
    const assigned = named?.value.includes(policy.name) === true
    if (!assigned && !reaches(candidate)) return 'unmatched'
    const replicaOf = record.config[REPLICA_OF]
    if (replicaOf !== undefined) return { kind: 'replica', of: replicaOf }
    if (named !== undefined && !assigned)
      return { kind: 'other-policies', policies: named.value, origin: named.origin }
    const unsnapped = record.unsnapped === undefined ? null : unsnappedBy(record.unsnapped)
    return saidByKey(own) ?? unsnapped ?? (assigned ? null : leavesOut(candidate, own)) ?? 'selected'
  }
}

const unsnappedBy = (why: string): SkipReason => ({ kind: 'unsnapped', why })

function reachOf(select: Selector): (candidate: Candidate) => boolean {
  const places = placesOf(select)
  const hasKeys = keysOf(select)
  return ({ record }) => places(record) && (record.offline === true || hasKeys(record))
}

/** By project, name and type, whatever its keys say. */
export const mayReach = ({ select }: Policy, record: InstanceRecord): boolean => placesOf(select)(record)

function placesOf(select: Selector): (record: InstanceRecord) => boolean {
  const projects = compileGlobs(select.projects)
  const instances = compileGlobs(select.instances)
  return ({ project, name, type }) =>
    type !== 'volume' &&
    type !== 'bucket' &&
    projects(project) &&
    instances(name) &&
    select.types.includes(type)
}

function keysOf(select: Selector): (record: InstanceRecord) => boolean {
  const keys = Object.entries(select.config).map(([key, glob]) => ({ key, matches: compileGlobs([glob]) }))
  return ({ config }) =>
    keys.every(({ key, matches }) => {
      const value = own(config, key)
      return value !== undefined && matches(value)
    })
}

function saidByKey(own: readonly Override[]): SkipReason | null {
  const excluded = own.find((one) => one.setting === 'exclude')
  if (excluded?.value === true) return { kind: 'excluded-by-key', origin: excluded.origin }
  const paused = own.find((one) => one.setting === 'paused')
  return paused?.value === true ? { kind: 'paused-by-key', origin: paused.origin } : null
}

/** Conditions of the document that are reported as a skip; an instance with `exclude=false` passes the globs. */
function outOf(select: Selector): (candidate: Candidate, own: readonly Override[]) => SkipReason | null {
  const excludes = select.exclude.map((glob) => ({ glob, matches: compilePaths([glob]) }))
  return ({ ref, record }, own) => {
    const { status } = record
    const path = [ref.remote, ref.project, ref.instance] as const
    const excluded = excludes.find(({ matches }) => matches(path))
    if (excluded !== undefined && !own.some((one) => one.setting === 'exclude'))
      return { kind: 'excluded', glob: excluded.glob }
    return !select.running || isVolume(record) || RUNNING.includes(status)
      ? null
      : { kind: 'not-running', status }
  }
}

/**
 * Ready: running, and the guest has reported that it is up. Error: unknown, its member may be offline; it stays
 * covered, so that its slot is recorded as failed.
 */
const RUNNING = ['Running', 'Frozen', 'Ready', 'Error']
