/** A slot strikes, and its snapshots are copied: in real time, because the machine's clock is nobody's to set. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { documentFor, PAIRS, runningOn } from './cast.ts'
import { KINDS } from './pools.ts'
import type { Stage } from './stage.ts'

export type View = {
  instance: string
  snapshots: { name: string }[] | null
  copies: { state: string; verified: string[]; unverified: string[] }[]
}

export type Round = number

export type Rounds = {
  /** New data in all instances, and the slot's snapshots of it. */
  strike(): Promise<void>
  /** Until the newest snapshot of each is verified on its target, or too much time has gone. */
  settle(): Promise<void>
  view(instance: string): Promise<View>
  /** The round whose data were in the instance when the snapshot was taken. */
  roundOf(snapshot: string): Round | undefined
  /** The round that wrote just these data. */
  roundWith(data: string | null): Round | undefined
}

const BYTES = 200_000
const MINUTE = 60_000
/** Between two looks. */
const PAUSE = 5_000
/** In software emulation, for 25 copies. */
const LONGEST = 40 * MINUTE

export function openRounds(stage: Stage): Rounds {
  /** By round, from 1. */
  const data: string[] = []
  const taken = new Map<string, Round>()
  const views = async () =>
    (await stage.ask<{ instances: View[] }>('GET', '/api/instances')).instances.map((view) => ({
      ...view,
      instance: view.instance.split('/').at(-1) ?? '',
    }))
  const newest = ({ snapshots }: View): string | undefined =>
    snapshots
      ?.map(({ name }) => name)
      .sort()
      .at(-1)
  const until = async (what: string, isSo: (view: View) => boolean): Promise<void> => {
    const end = Date.now() + LONGEST
    for (let before = -1; Date.now() < end; await sleep(PAUSE)) {
      await stage.worker.tick(new Date())
      const all = await views()
      const so = all.filter(isSo).length
      if (so !== before)
        process.stderr.write(`drivers: round ${data.length}: ${so} of ${all.length} ${what}\n`)
      before = so
      if (so === all.length) return
    }
  }
  const strike = async (): Promise<void> => {
    const fresh = randomBytes(BYTES).toString('base64')
    data.push(fresh)
    const names = [...PAIRS.map(({ instance }) => instance), ...KINDS.map(runningOn)]
    for (const name of names) await stage.main.write(name, fresh)
    // Before the first there is no configuration, and so nothing to view.
    const earlier = data.length === 1 ? [] : await views()
    const before = new Set(earlier.flatMap(({ snapshots }) => snapshots ?? []).map(nameOf))
    const slot = new Date((Math.floor(Date.now() / MINUTE) + 1) * MINUTE)
    await stage.ask('PUT', '/api/config', documentFor(slot))
    await sleep(slot.getTime() - Date.now() + 1000)
    await until('have the snapshot', (view) => view.snapshots?.some(({ name }) => !before.has(name)) === true)
    for (const { snapshots } of await views())
      for (const { name } of snapshots ?? []) if (!before.has(name)) taken.set(name, data.length)
  }
  return {
    strike,
    settle: () =>
      until('have it verified wherever it is copied', (view) =>
        view.copies.every(({ verified }) => verified.includes(newest(view) ?? '')),
      ),
    async view(instance) {
      const found = (await views()).find((view) => view.instance === instance)
      if (found === undefined) throw new Error(`${instance} is not covered`)
      return found
    },
    roundOf: (snapshot) => taken.get(snapshot),
    roundWith: (found) => (found === null ? undefined : data.indexOf(found) + 1),
  }
}

const nameOf = ({ name }: { name: string }): string => name
