/** What `stapes init` proposes for a server that it sees for the first time: a document of policies, and why it is so. */

import { sizeOf } from '../chat/age.ts'
import { count, enumerate } from '../chat/words.ts'
import type { InstanceRecord } from '../incus/inventory.ts'
import { own } from '../own.ts'
import { snapshotStandstill } from '../plan/freezing.ts'

export type SeenInstance = Pick<InstanceRecord, 'status' | 'type' | 'project' | 'name'> & {
  /** Of its root disk; empty: not seen. */
  pool: string
  /** Used by its root disk; null: the driver doesn't say. */
  bytes: number | null
  /** Custom volumes that are attached to it. */
  volumes: number
  /** Incus itself takes snapshots of it. */
  hasOwnSchedule: boolean
}

/** `free`: bytes; null: not known. */
export type SeenPool = { driver: string; free: number | null }

export type SeenServer = {
  remote: string
  projects: readonly string[]
  instances: readonly SeenInstance[]
  pools: Readonly<Record<string, SeenPool>>
}

export const KEEPS = {
  short: { daily: 7 },
  usual: { daily: 7, weekly: 4, monthly: 6 },
  long: { daily: 14, weekly: 8, monthly: 12, yearly: 3 },
} as const

export type Keep = keyof typeof KEEPS

export type Wishes = {
  keep: Keep
  timezone: string
  /** Null: there is none yet. */
  backup: SeenServer | null
}

export type Proposal = {
  policies: Record<string, object>
  defaults: { timezone: string }
  /** One short line each. */
  reasons: string[]
  /** What somebody should know before it begins. */
  warnings: string[]
}

/** Its snapshots take as long, and as much space, as the data. */
const COPIES_ALL = 'dir'

export function propose(source: SeenServer, { keep, timezone, backup }: Wishes): Proposal {
  const { remote, instances } = source
  const whole = instances.filter(({ pool }) => driverOf(source, pool) === COPIES_ALL)
  const select = {
    ...(source.projects.some((name) => name !== 'default') ? { projects: ['*'] } : {}),
    ...(instances.some(({ volumes }) => volumes > 0) ? { volumes: ['attached'] } : {}),
  }
  const hourly = whole.length === 0
  const covers = { remotes: [remote], ...(Object.keys(select).length === 0 ? {} : { select }) }
  return {
    defaults: { timezone },
    policies: {
      ...(hourly ? { hourly: { ...covers, schedule: '@hourly', keep: { hourly: 24 } } } : {}),
      daily: {
        ...{ ...covers, schedule: '0 3 * * *', jitter: '10m', keep: KEEPS[keep] },
        ...(backup === null ? {} : { copy: { remote: backup.remote, expiry: '90d' } }),
      },
    },
    reasons: [
      `${remote} has ${count(instances.length, 'instance')}, ${spaceOf(instances)}`,
      hourly
        ? 'hourly: for a mistake at noon, the last 24 hours; snapshots are cheap there'
        : `no hourly snapshots: on the driver ${COPIES_ALL} each is a whole copy of the data (${namesOf(whole)})`,
      `daily, at 3:00 ${timezone}: keeps ${Object.entries(KEEPS[keep])
        .map(([unit, many]) => `${many} ${unit}`)
        .join(', ')}`,
      ...(backup === null ? [] : [`each daily snapshot is copied to ${backup.remote}, and verified there`]),
      ...(instances.some(({ volumes }) => volumes > 0)
        ? ['attached custom volumes are taken and copied as well: no snapshot of an instance has their data']
        : []),
    ],
    warnings: [
      ...(instances.length === 0
        ? [
            `${remote} shows no instance to this certificate: is it restricted to another project? New ones are backed up as they appear`,
          ]
        : []),
      ...(backup === null
        ? ['there is no backup server: snapshots are lost with their server, so they are no backup']
        : []),
      ...standstills(source),
      ...spaceWarnings(instances, backup),
      ...ownSchedules(instances),
    ],
  }
}

const driverOf = ({ pools }: SeenServer, pool: string): string | undefined => own(pools, pool)?.driver

function standstills(source: SeenServer): string[] {
  const said = source.instances.flatMap((instance) => {
    const how = snapshotStandstill(instance, driverOf(source, instance.pool), false)
    return how === null ? [] : [{ instance, how }]
  })
  return [...new Set(said.map(({ how }) => how))].map((how) => {
    const those = said.filter((one) => one.how === how).map(({ instance }) => instance)
    return `while a snapshot is made of ${namesOf(those)}, ${how}`
  })
}

/** It isn't known which of the pools will take them, so that with the most space counts. */
function spaceWarnings(instances: readonly SeenInstance[], backup: SeenServer | null): string[] {
  if (backup === null || instances.length === 0) return []
  const free = Object.values(backup.pools).map((pool) => pool.free)
  const known = free.filter((one) => one !== null)
  if (known.length === 0 || known.length < free.length)
    return [`it isn't known how much space is free on ${backup.remote}`]
  const needed = instances.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0)
  const most = Math.max(...known)
  const has = `${backup.remote} has ${sizeOf(most)} free`
  if (needed > most) return [`the first copies won't fit: ${has}, and the instances use ${sizeOf(needed)}`]
  return instances.some(({ bytes }) => bytes === null)
    ? [`it isn't known whether the first copies fit: ${has}, and not every driver says how much is used`]
    : []
}

function ownSchedules(instances: readonly SeenInstance[]): string[] {
  const those = instances.filter(({ hasOwnSchedule }) => hasOwnSchedule)
  return those.length === 0
    ? []
    : [`Incus itself takes snapshots of ${namesOf(those)} as well: "/backup take-over <instance>" ends that`]
}

function spaceOf(instances: readonly SeenInstance[]): string {
  const known = instances.flatMap(({ bytes }) => bytes ?? [])
  const sum = sizeOf(known.reduce((all, bytes) => all + bytes, 0))
  const unknown = instances.length - known.length
  if (unknown === 0) return sum
  return known.length === 0 ? 'of unknown size' : `${sum} and ${unknown} of unknown size`
}

/** So many are named. */
const NAMED = 5

function namesOf(instances: readonly SeenInstance[]): string {
  const names = instances.map(({ project, name }) => (project === 'default' ? name : `${project}/${name}`))
  const more = names.length - NAMED
  return enumerate(more > 0 ? [...names.slice(0, NAMED), `${more} more`] : names)
}
