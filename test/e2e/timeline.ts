/** Days in seconds: the cron trigger is fired for one minute after the other, as fast as they can be served. */
import { setTimeout as sleep } from 'node:timers/promises'
import { snapshotName } from '../../shared/incus/snapshot-name.ts'
import type { TransferMode } from '../../shared/incus/transfer-mode.ts'
import { nextSecond, type Stage } from './stage.ts'

export const POLICY = 'hourly'
export const KEPT = 3

const HOUR = 3_600_000
const MINUTE = 60_000

export type CopyView = { target: string; state: string; verified: string[]; unverified: string[] }
export type InstanceView = { instance: string; snapshots: { name: string }[]; copies: CopyView[] }

export type Timeline = {
  readonly instances: readonly string[]
  /** The next hour strikes: fresh data in each instance, and one tick. Gives the slot's snapshot name. */
  strike(): Promise<string>
  /** The next minute. */
  tick(): Promise<'ok' | 'exception' | 'died'>
  /** Minutes until the slot's snapshots are verified on the backup server; throws when the hour ends before. */
  settle(): Promise<void>
  /** Minutes until it is so, with real time between them for what Incus does meanwhile; throws when it never is. */
  until(isSo: () => Promise<boolean>): Promise<void>
  /** Minutes until the copy of the slot runs on the target. */
  untilCopying(): Promise<void>
  view(): Promise<InstanceView[]>
  /** The marker that each snapshot was taken of, by name: what has to be there in the end. */
  expected(): Map<string, string>
}

export function openTimeline(stage: Stage, instances: readonly string[], bytes: number): Timeline {
  const { main } = stage.pair
  // So far back that all hours of the test are over: nothing is in the future.
  let hour = Math.floor(Date.now() / HOUR) * HOUR - 40 * HOUR
  let minute = hour
  const markers = new Map<string, string>()
  const slotName = () => snapshotName({ policy: POLICY, slot: new Date(hour) })

  const view = async (): Promise<InstanceView[]> => {
    const response = await stage.worker.fetch('/api/instances')
    if (!response.ok) throw new Error(await response.text())
    return ((await response.json()) as { instances: InstanceView[] }).instances
  }
  /** What there is, and what became of each copy. */
  const state = async () => {
    const status = (await (await stage.worker.fetch('/api/status')).json()) as { copies: object }
    const instances = await view()
    return {
      copies: status.copies,
      instances: instances.map(({ instance, snapshots, copies }) => ({ instance, snapshots, copies })),
    }
  }
  const tick: Timeline['tick'] = () => {
    minute += MINUTE
    return stage.worker.tick(new Date(minute))
  }
  /** Ticks of this hour go on until it is so. */
  const withinTheHour = async (what: string, isSo: (all: InstanceView[]) => boolean): Promise<void> => {
    while (minute < hour + HOUR - MINUTE) {
      await tick()
      if (isSo(await view())) return
      await sleep(minute < hour + HOUR / 2 ? PAUSE : LATE_PAUSE)
    }
    throw new Error(`${what} within the hour of ${slotName()}: ${JSON.stringify(await state(), null, 1)}`)
  }
  return {
    instances,
    async strike() {
      hour += HOUR
      minute = hour - MINUTE
      markers.set(slotName(), `data of ${slotName()}`)
      await nextSecond()
      for (const name of instances) await main.write({ name }, `data of ${slotName()}`, bytes)
      await tick()
      return slotName()
    },
    tick,
    async until(isSo) {
      for (let tries = 0; !(await isSo()); tries++) {
        if (tries === TRIES) throw new Error(`it is never so: ${JSON.stringify(await state(), null, 1)}`)
        await tick()
        await sleep(tries < TRIES / 2 ? PAUSE : LATE_PAUSE)
      }
    },
    settle: () =>
      withinTheHour('its copy was not verified', (all) =>
        all.every(({ copies }) => copies.every(({ verified }) => verified.map(slotOf).includes(slotName()))),
      ),
    untilCopying: () =>
      withinTheHour('no copy ran', (all) =>
        all.some(({ copies }) => copies.some(({ state }) => state === 'running')),
      ),
    view,
    // Of the newest it isn't known yet that it is there, when the others are counted.
    expected: () => new Map([...markers].slice(-KEPT - 1)),
  }
}

/** The slot of an hour that a snapshot is for: one that is taken late is named for a later minute of it. */
export const slotOf = (name: string): string => name.replace(/\d\dZ$/, '00Z')

/** Real time for what runs on its own between two ticks; more of it where a busy machine needs long. */
const PAUSE = 100
const LATE_PAUSE = 3_000

/** Few enough that one who waits doesn't come to the next slot. */
const TRIES = 30

/** Instances and policy as all scenes begin. */
export async function furnish(stage: Stage, instances: readonly string[]): Promise<void> {
  for (const name of instances) await stage.pair.main.createInstance({ name })
  await applyPolicy(stage, instances)
}

export const applyPolicy = (
  stage: Stage,
  instances: readonly string[],
  copy: { transferMode?: TransferMode } = {},
): Promise<void> =>
  stage.apply({
    policies: {
      [POLICY]: {
        select: { remotes: ['main'], instances },
        schedule: '0 * * * *',
        keep: { last: KEPT },
        copy: { remote: 'backup', ...copy },
      },
    },
  })
