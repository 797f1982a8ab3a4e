/** The world that the simulations share: three instances with strangers beside them, and how its time passes. */

import type { TransferMode } from '../../shared/incus/transfer-mode.ts'
import type { Keep } from '../../shared/retention/keep.ts'
import type { Manifest } from '../../shared/work/export/manifest.ts'
import { addCustom } from '../emulator/custom.ts'
import type { Version } from '../emulator/faces.ts'
import { attachVolume, seedInstance, write, writeVolume } from '../emulator/scene.ts'
import type { EmbeddedIncus } from '../emulator/server.ts'
import { watchGroups } from './groups-seen.ts'
import type { Exporting, Scene } from './invariant.ts'
import { type Watch, watchOver } from './invariants.ts'
import { dueMinuteAfter, minuteAfter } from './passing.ts'
import { type Calendar, createSlotBook } from './slot-book.ts'
import { createWorld, type Driver, type Remote, type Ticked, type World } from './world.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export const COVERED = ['db', 'mail', 'web'] as const
/** On `db`, in scenes that have one. */
export const VOLUME = 'data'

type Wanted = {
  schedule: string
  timezone?: string
  keep: Keep
  jitter?: string
  catchup?: string
  copy?: object
  select?: object
  together?: object | true
  export?: object
}

export type Simulation = Scene & {
  document: object
  watch: Watch
  /** One tick, then all invariants. */
  tick(at: Date, place?: number): Promise<Ticked>
  /** A tick a minute in (now, until]; with `idle: 'left out'`, only where the ledger has something due. */
  pass(until: Date, idle?: 'left out' | 'ticked'): Promise<void>
}

type Setting = {
  start: Date
  until: Date
  policies: Record<string, Wanted>
  calendar: Calendar
  seed?: number
  drivers?: Record<Remote, Driver>
  versions?: Record<Remote, Version>
  /** Seconds. */
  minRetention?: number
  /** Of the source, in the relay's configuration. */
  receives?: string[]
  /** The same of the backup server. */
  receivesThere?: string[]
  /** Whether files of snapshots may be read. */
  files?: boolean
  /** On the first of COVERED, and covered as well. */
  volume?: string
  /** Absent: COVERED, and the volume. */
  covered?: readonly string[]
  /** Policies that take that one together with its instance. */
  together?: readonly string[]
  exports?: Record<string, Exporting>
}

/** Every so many milliseconds, from two days before `start` (where catching up may reach) to `until`. */
export function every(period: number, start: Date, until: Date, offset = 0): Date[] {
  const first = Math.ceil((start.getTime() - 2 * DAY - offset) / period) * period + offset
  const count = Math.floor((until.getTime() - first) / period) + 1
  return Array.from({ length: count }, (_, at) => new Date(first + at * period))
}

/** Hourly, and daily at 3:00 with a copy: little is kept, so that the past soon is the past. */
export const usual = (start: Date, until: Date, transferMode: TransferMode = 'pull'): Setting => ({
  start,
  until,
  policies: {
    hourly: { schedule: '@hourly', keep: { hourly: 6 } },
    daily: {
      schedule: '0 3 * * *',
      jitter: '10m',
      keep: { daily: 2 },
      copy: { remote: 'backup', transferMode },
    },
  },
  calendar: { hourly: every(HOUR, start, until), daily: every(DAY, start, until, 3 * HOUR) },
})

/** What is usual, with a volume that is taken together with its instance, and with exports three times a day. */
export function everything(start: Date, until: Date, transferMode: TransferMode = 'pull'): Setting {
  const { policies, ...setting } = usual(start, until, transferMode)
  const keep = { last: 2 }
  const select = { volumes: ['attached'] }
  const { hourly, daily } = policies
  if (hourly === undefined || daily === undefined) throw new Error('both are usual')
  return {
    ...setting,
    policies: {
      hourly: { ...hourly, select, together: true },
      daily: { ...daily, select, export: { to: 'nas', schedule: '30 */8 * * *', keep } },
    },
    ...{ volume: VOLUME, together: ['hourly'] },
    exports: { daily: { store: 'nas', calendar: every(8 * HOUR, start, until, HOUR / 2), keep } },
  }
}

/** Its instance is covered by nothing. */
export function volumeAlone(start: Date, until: Date): Setting {
  const { policies, ...setting } = usual(start, until)
  const select = { instances: [], volumes: [`default:${VOLUME}`] }
  const alone = Object.entries(policies).map(([name, wanted]) => [name, { ...wanted, select }] as const)
  const covered = [`default:${VOLUME}`]
  return { ...setting, policies: Object.fromEntries(alone), volume: VOLUME, covered }
}

export async function simulate(setting: Setting): Promise<Simulation> {
  const { start, until, policies, calendar, volume, together = [], exports = {} } = setting
  const world = createWorld(setting)
  await settle(world, volume)
  for (const [policy, { store }] of Object.entries(exports)) seedExports(world, store, policy)
  const keep = Object.fromEntries(Object.entries(policies).map(([name, wanted]) => [name, wanted.keep]))
  const book = createSlotBook(calendar)
  const subject = `default:${volume}`
  const { covered = volume === undefined ? COVERED : [...COVERED, subject] } = setting
  const groups = watchGroups(world, Object.fromEntries(together.map((name) => [name, [COVERED[0], subject]])))
  const span = { after: start, until }
  const scene: Scene = { world, covered, calendar, keep, book, span, groups, exports }
  const document = { defaults: { remotes: ['main'] }, policies }
  const watch = watchOver(scene)
  await world.apply(document)
  const tick = async (at: Date, place = 0) => {
    const ran = await world.tick(at, place)
    watch.step()
    return ran
  }
  return {
    ...scene,
    document,
    watch,
    tick,
    async pass(end, idle = 'left out') {
      const next = () => (idle === 'ticked' ? minuteAfter(world.clock.now()) : dueMinuteAfter(world))
      for (let at = next(); at <= end.getTime(); at = next()) await tick(new Date(at))
      // The last tick may have waited beyond it.
      if (world.clock.now() < end.getTime()) await world.clock.advance(end)
    },
  }
}

async function settle({ incus: { main, backup }, clock }: World, volume: string | undefined): Promise<void> {
  for (const name of COVERED) {
    write(seedInstance(main, { name, running: name !== 'mail' }), `${name} 0`, 600e6)
    await snapshot(main, name, 'before-upgrade')
  }
  // Ours by no policy, or by a part of the name alone.
  await snapshot(main, 'web', 'hourly-by-hand')
  await snapshot(main, 'web', 'weekly-20260101T0000Z')
  seedInstance(main, { name: 'lab', running: true, config: { 'user.stapes.exclude': 'true' } })
  await snapshot(main, 'lab', 'hourly-20260101T0000Z')
  seedInstance(backup, { name: 'stranger', running: true })
  for (const name of ['hourly-20260101T0000Z', 'daily-20260101T0300Z'])
    await snapshot(backup, 'stranger', name)
  if (volume !== undefined) await settleVolume(main, backup, volume)
  // Each is made in the timer that its operation set.
  await clock.advance(clock.now() + 10)
}

const snapshot = (incus: EmbeddedIncus, instance: string, name: string): Promise<unknown> =>
  incus.handle({ method: 'POST', path: `/1.0/instances/${instance}/snapshots`, body: { name } })

/** The volume, and strangers beside it. */
async function settleVolume(main: EmbeddedIncus, backup: EmbeddedIncus, name: string): Promise<void> {
  attachVolume(main, { name: COVERED[0] }, name)
  writeVolume(main, name, `${name} 0`, 60e6)
  for (const incus of [main, backup]) {
    addCustom(incus, { pool: 'default', project: 'default', name: 'strange' })
    await snapshotVolume(incus, 'strange', 'hourly-20260101T0000Z')
  }
  await snapshotVolume(main, name, 'before-upgrade')
}

const snapshotVolume = (incus: EmbeddedIncus, volume: string, name: string): Promise<unknown> =>
  incus.handle({
    ...{ method: 'POST', path: `/1.0/storage-pools/default/volumes/custom/${volume}/snapshots` },
    body: { name },
  })

/** As somebody had them made: on request, for another policy, and by another installation. */
function seedExports({ stores, clock }: World, store: string, policy: string): void {
  stores.minRetention = 0
  const strange = [{}, { policy: 'other' }, { policy, owner: 'another' }]
  for (const [at, more] of strange.entries()) {
    const name = `2026010${at + 1}T003000Z`
    const manifest = manifestFor(name, new Date(clock.now()), more)
    stores.made.set(`${store} ${manifest.instance} ${name}`, { manifest, archive: new Uint8Array() })
  }
}

const manifestFor = (name: string, now: Date, more: { policy?: string; owner?: string }): Manifest => ({
  ...{ stapes: 'export 1', instance: `main/default/${COVERED[0]}`, name, ...more },
  // Of this instance, so that this is no reason to leave it.
  snapshot: { name: 'by-hand', createdAt: now.toISOString() },
  madeAt: '2026-01-04T00:00:00.000Z',
  ...{ incus: '6.0.4', type: 'container', driver: 'btrfs', optimized: false },
  archive: { bytes: 0, sha256: '0'.repeat(64), entries: 0 },
  stored: {
    file: '',
    bytes: 0,
    sha256: '0'.repeat(64),
    compression: 'zstd',
    encryption: null,
    recipients: [],
  },
  leftOut: { config: {}, devices: {} },
})
