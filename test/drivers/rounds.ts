/** A slot strikes, and its snapshots are copied: in real time, because the machine's clock is nobody's to set. */
import { setTimeout as sleep } from 'node:timers/promises'
import { documentFor, PAIRS, runningOn } from './cast.ts'
import { KINDS } from './pools.ts'
import type { Stage } from './stage.ts'

type View = {
  instance: string
  snapshots: { name: string }[] | null
  copies: { state: string; verified: string[]; unverified: string[] }[]
}

type Copied = { state: string; reason?: string }

export type Round = number

export type Rounds = {
  /** New data in all instances, and the slot's snapshots of it. */
  strike(): Promise<void>
  /** Until the newest snapshot of each is verified on its target, or too much time has gone. */
  settle(): Promise<void>
  /** As it was when the last slot was settled. */
  view(instance: string): View
  /** The round whose data were in the instance when the snapshot was taken. */
  roundOf(snapshot: string): Round | undefined
  /** The round that wrote the data of this digest. */
  roundWith(digest: string | null): Round | undefined
}

const MINUTE = 60_000
/** Between two looks. */
const PAUSE = 5_000
/** In software emulation, for all 25 copies: what isn't there by then is left to the tests that look at it. */
const LONGEST = 20 * MINUTE

export function openRounds(stage: Stage): Rounds {
  /** By round, from 1. */
  const digests: string[] = []
  const taken = new Map<string, Round>()
  let latest: View[] = []
  const look = async (): Promise<View[]> => {
    latest = (await stage.ask<{ instances: View[] }>('GET', '/api/instances')).instances.map((view) => ({
      ...view,
      instance: view.instance.split('/').at(-1) ?? '',
    }))
    return latest
  }
  /** Copies that failed and are tried again, each with its reason. */
  const failures = async (): Promise<string> => {
    const { copies } = await stage.ask<{ copies: Record<string, Copied> }>('GET', '/api/status')
    const failed = Object.entries(copies).filter(([, { reason }]) => reason !== undefined)
    return failed.map(([key, { state, reason }]) => `\n  ${key} ${state}: ${reason}`).join('')
  }
  const until = async (what: string, isSo: (view: View) => boolean): Promise<void> => {
    const end = Date.now() + LONGEST
    for (let before = -1; Date.now() < end; await sleep(PAUSE)) {
      await stage.worker.tick(new Date())
      const all = await look()
      const open = all.filter((view) => !isSo(view)).map(({ instance }) => instance)
      if (open.length === before) continue
      before = open.length
      const waiting = open.length === 0 ? '' : `, not yet ${open.join(', ')}`
      process.stderr.write(
        `drivers: round ${digests.length}: ${all.length - before} ${what}${waiting}${await failures()}\n`,
      )
      if (open.length === 0) return
    }
  }
  const strike = async (): Promise<void> => {
    const pairs = PAIRS.map(({ instance, from }) => ({ name: instance, kind: from }))
    const running = KINDS.map((kind) => ({ name: runningOn(kind), kind, running: true }))
    digests.push(await stage.main.volumes.write([...pairs, ...running]))
    // Before the first there is no configuration, and so nothing to view.
    const earlier = digests.length === 1 ? [] : await look()
    const before = new Set(earlier.flatMap(({ snapshots }) => snapshots ?? []).map(nameOf))
    const slot = new Date((Math.floor(Date.now() / MINUTE) + 1) * MINUTE)
    await stage.ask('PUT', '/api/config', documentFor(slot))
    await sleep(slot.getTime() - Date.now() + 1000)
    await until('have the snapshot', (view) => view.snapshots?.some(({ name }) => !before.has(name)) === true)
    for (const { snapshots } of await look())
      for (const { name } of snapshots ?? []) if (!before.has(name)) taken.set(name, digests.length)
  }
  return {
    strike,
    settle: () =>
      until('have it verified wherever it is copied', (view) =>
        view.copies.every(({ verified }) => verified.includes(namesOf(view).at(-1) ?? '')),
      ),
    view(instance) {
      const found = latest.find((view) => view.instance === instance)
      if (found === undefined) throw new Error(`${instance} is not covered`)
      return found
    },
    roundOf: (snapshot) => taken.get(snapshot),
    roundWith: (digest) => (digest === null ? undefined : digests.indexOf(digest) + 1),
  }
}

/** By name, and so by slot. */
export const namesOf = ({ snapshots }: View): string[] => (snapshots ?? []).map(nameOf).sort()

const nameOf = ({ name }: { name: string }): string => name
