/** The world that the simulations share: three instances with strangers beside them, and how its time passes. */
import type { TransferMode } from '../../shared/incus/transfer-mode.ts'
import type { Keep } from '../../shared/retention/keep.ts'
import type { Version } from '../emulator/faces.ts'
import { seedInstance, write } from '../emulator/scene.ts'
import type { EmbeddedIncus } from '../emulator/server.ts'
import { type Scene, type Watch, watchOver } from './invariants.ts'
import { dueMinuteAfter, minuteAfter } from './passing.ts'
import { type Calendar, createSlotBook } from './slot-book.ts'
import { createWorld, type Driver, type Remote, type Ticked, type World } from './world.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export const COVERED = ['db', 'mail', 'web'] as const

type Wanted = {
  schedule: string
  timezone?: string
  keep: Keep
  jitter?: string
  catchup?: string
  copy?: object
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

export async function simulate(setting: Setting): Promise<Simulation> {
  const { start, until, policies, calendar } = setting
  const world = createWorld(setting)
  await settle(world)
  const keep = Object.fromEntries(Object.entries(policies).map(([name, wanted]) => [name, wanted.keep]))
  const book = createSlotBook(calendar)
  const scene: Scene = { world, covered: COVERED, calendar, keep, book, span: { after: start, until } }
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

async function settle({ incus: { main, backup }, clock }: World): Promise<void> {
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
  // Each is made in the timer that its operation set.
  await clock.advance(clock.now() + 10)
}

const snapshot = (incus: EmbeddedIncus, instance: string, name: string): Promise<unknown> =>
  incus.handle({ method: 'POST', path: `/1.0/instances/${instance}/snapshots`, body: { name } })
