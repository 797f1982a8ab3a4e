/** "All is well" is said only while every promise is kept, by a look at the servers that asks nothing of stapes. */
import { statusOf } from '../../functions/api/status.ts'
import { dropFuture } from '../../shared/ledger/ahead.ts'
import { parseLedger } from '../../shared/ledger/parse-ledger.ts'
import { parseStored } from '../../shared/policy/stored.ts'
import { parseFacts } from '../../shared/promise/facts.ts'
import { holderOn, type Invariant, type Scene } from './invariant.ts'
import { remembered } from './remembered.ts'

const HOUR = 3_600_000
/** Milliseconds. */
const OFTEN = 600_000
/** The jitter of the scenes. */
const JITTER = 600_000
/** What a promise allows beyond the next slot, for the snapshot and for its copy. */
const GRACE = { main: HOUR, backup: 2 * HOUR }

const configIn = remembered(parseStored)
const factsIn = remembered(parseFacts)
const ledgerOf = remembered((value) => (value === null ? { ledger: null, lost: [] } : parseLedger(value)))

export const wellOnlyIfKept: Invariant = (scene, fail) => {
  /** The newest of each promise at each step since the last look. What happened after that is not known yet. */
  const seen = new Map<string, { at: number; newest: number }[]>()
  let last: { texts: (string | null)[]; at: number } = { texts: [], at: 0 }
  return {
    step() {
      const now = scene.world.clock.now()
      const texts = ['ledger', 'promises'].map((key) => scene.world.kv.peek(key))
      // Between two changes only time passes.
      if (texts.every((text, at) => text === last.texts[at]) && now - last.at < OFTEN) return
      last = { texts, at: now }
      const looked = lookedIn(scene)
      for (const promise of promisesOf(scene)) {
        const newest = newestOf(scene, promise)
        const all = [...(seen.get(promise.name) ?? []), { at: now, newest }]
        const last = all.findLastIndex(({ at }) => at <= (looked ?? 0))
        const since = all.slice(Math.max(0, last))
        seen.set(promise.name, since)
        if (since.some((one) => isKept(scene, promise, one.newest, now))) continue
        if (looked !== null && isCalledWell(scene, now))
          fail(`all is called well, and ${promise.name} is not kept: ${new Date(newest).toISOString()}`)
      }
    },
  }
}

/** When stapes looked last. Null: nothing is applied, or no look was noted. */
function lookedIn({ world: { kv } }: Scene): number | null {
  const { facts } = factsIn(kv.peek('promises'))
  return kv.peek('config') === null || facts === null ? null : Date.parse(facts.at)
}

/** Asked only where a promise isn't kept: a verdict takes as long as all the invariants. */
function isCalledWell({ world: { kv } }: Scene, now: number): boolean {
  const at = new Date(now)
  const found = dropFuture(ledgerOf(kv.peek('ledger')), at)
  const { facts } = factsIn(kv.peek('promises'))
  return statusOf(configIn(kv.peek('config')), { ...found, facts }, at).health === 'good'
}

type Promise = { name: string; policy: string; instance: string; on: 'main' | 'backup' }

function promisesOf({ covered, calendar, world: { kv } }: Scene): Promise[] {
  const { stored } = configIn(kv.peek('config'))
  const copied = new Set(
    stored?.config.policies.filter(({ copy }) => copy !== null).map(({ name }) => name) ?? [],
  )
  return Object.keys(calendar).flatMap((policy) =>
    covered.flatMap((instance) =>
      (['main', 'backup'] as const).flatMap((on) =>
        on === 'main' || copied.has(policy)
          ? [{ name: `${policy} of ${instance} on ${on}`, policy, instance, on }]
          : [],
      ),
    ),
  )
}

function isKept({ calendar }: Scene, { policy, on }: Promise, newest: number, now: number): boolean {
  const next = firstAfter(calendar[policy] ?? [], newest)
  return next === undefined || now <= next.getTime() + GRACE[on] + JITTER
}

const SLOT = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z$/

/** By its name, of those that have all their data; 0: there is none. */
function newestOf({ world: { incus }, groups }: Scene, { policy, instance: subject, on }: Promise): number {
  const times = [...(holderOn(incus[on], subject)?.snapshots.values() ?? [])].flatMap(({ name, disk }) => {
    if (!name.startsWith(`${policy}-`) || disk.held !== 'whole') return []
    if (on === 'main' && !groups.isWhole(policy, subject, name)) return []
    const found = SLOT.exec(name.slice(policy.length + 1))
    if (found === null) return []
    const [year, month, day, hour, minute] = found.slice(1).map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ]
    return [Date.UTC(year, month - 1, day, hour, minute)]
  })
  return Math.max(0, ...times)
}

/** In a year there are thousands of slots. */
function firstAfter(slots: readonly Date[], time: number): Date | undefined {
  let [low, high] = [0, slots.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (Number(slots[middle]) > time) high = middle
    else low = middle + 1
  }
  return slots[low]
}
