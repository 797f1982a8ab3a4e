/** What must hold whatever happens. Each looks at the servers themselves, not at what stapes believes. */

import type { Ledger } from '../../shared/ledger/ledger.ts'
import { VERIFIED } from '../../shared/policy/marks.ts'
import type { Keep } from '../../shared/retention/keep.ts'
import { parseVerified } from '../../shared/work/copy/marks.ts'
import { hasData } from '../emulator/scene.ts'
import type { EmbeddedIncus } from '../emulator/server.ts'
import type { Instance, Snapshot } from '../emulator/state.ts'
import { copiesOf } from '../long-work.ts'
import { type InstanceEvent, type Listener, listen, type SnapshotEvent } from './journal.ts'
import { keepers } from './keepers.ts'
import { type Calendar, type Ending, type SlotBook, slotOf } from './slot-book.ts'
import { wellOnlyIfKept } from './well.ts'
import type { World } from './world.ts'

/** What the invariants need to know of a scene. All is in the project `default`. */
export type Scene = {
  world: World
  /** Instances on main that every policy covers; each has its replica on backup where a policy copies. */
  covered: readonly string[]
  calendar: Calendar
  keep: Record<string, Keep>
  book: SlotBook
  /** From when to when every slot has to have ended. */
  span: { after: Date; until: Date }
}

type Fail = (text: string) => void
type Checks = { listener?: Listener; step?(): void; end?(): void }
export type Invariant = (scene: Scene, fail: Fail) => Checks

class Violation extends Error {
  readonly invariant: string

  constructor(invariant: string, text: string) {
    super(`${invariant}: ${text}`)
    this.invariant = invariant
  }
}

const OURS = /^([a-z][a-z0-9-]*)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z$/

type Own = { policy: string; slot: string }

const ownName = (scene: Scene, name: string): Own | null => {
  const [, policy = '', year, month, day, hour, minute] = OURS.exec(name) ?? []
  return policy in scene.calendar
    ? { policy, slot: `${year}-${month}-${day}T${hour}:${minute}:00.000Z` }
    : null
}

const say = ({ remote, instance, snapshot }: SnapshotEvent): string =>
  `${remote}/${instance.name}/${snapshot.name}`

const instanceOn = (incus: EmbeddedIncus, name: string): Instance | undefined =>
  incus.state.projects.get('default')?.instances.get(name)

/** Incus itself removes what has expired. */
const expired = ({ snapshot, at }: SnapshotEvent): boolean =>
  snapshot.expires.ms !== null && snapshot.expires.ms <= at

/** Nobody saw the end of its making, so that it may be partial: it is replaced, or goes. */
const unseen = ({ book }: Scene, { instance, snapshot }: SnapshotEvent): number =>
  book.unseen(`main/default/${instance.name}`, snapshot.name)

/** The other snapshots of the same policy, with its own, newest slot first; none that has no data. */
const family = (scene: Scene, instance: Instance, policy: string): { snapshot: Snapshot; slot: string }[] =>
  [...instance.snapshots.values()]
    .flatMap((snapshot) => {
      const own = ownName(scene, snapshot.name)
      return own?.policy === policy && snapshot.disk.held === 'whole' ? [{ snapshot, slot: own.slot }] : []
    })
    .sort((a, b) => (a.slot < b.slot ? 1 : -1))

/** A name may be so much older than the data: the jitter of the scenes, two ticks, and what delays a tick. */
const LATEST_MINUTES = 10 + 2 + 4

/**
 * At most one snapshot for each policy, slot and instance is ever made, and its name tells when. Only one
 * whose making nobody saw the end of is made again, for each such try once, or twice by two ticks at the
 * same time.
 */
const oneSnapshotPerSlot: Invariant = (scene, fail) => {
  const made = new Map<string, number>()
  const refused = new Map<string, number>()
  /** What was made in a tick is judged after it: then the ledger tells what the relay knew. */
  let judgements: (() => void)[] = []
  return {
    listener: {
      made(event) {
        const own = ownName(scene, event.snapshot.name)
        if (event.remote !== 'main' || own === null) return
        const slot = slotOf(scene.calendar, own.policy, own.slot)
        const key = `${event.instance.name} ${own.policy} ${slot}`
        const times = (made.get(key) ?? 0) + 1
        const { counts } = scene.world.kv
        const withheld = counts.refused > (refused.get(key) ?? 0)
        made.set(key, times)
        refused.set(key, counts.refused)
        const text = `${say(event)} is made once more, the ${times}th time`
        judgements.push(() => {
          const tries = scene.book.unseenOf(`main/default/${event.instance.name}`, own.policy, slot)
          // A tick that KV kept from telling that it made one again leaves that to the next.
          const untold = tries > 0 && withheld
          if (times > 1 + 2 * tries && !untold) fail(text)
        })
        const minutes = (event.at - Date.parse(own.slot)) / 60_000
        if (minutes < 0 || minutes > LATEST_MINUTES)
          fail(`${say(event)} is made ${minutes} min after its name`)
      },
      gone({ remote, instance, snapshot }) {
        // It came to nothing, so it may be tried again.
        const own = ownName(scene, snapshot.name)
        if (remote !== 'main' || own === null || !snapshot.inMaking) return
        const key = `${instance.name} ${own.policy} ${slotOf(scene.calendar, own.policy, own.slot)}`
        made.set(key, (made.get(key) ?? 1) - 1)
      },
    },
    step() {
      for (const judge of judgements) judge()
      judgements = []
    },
  }
}

/** It is made from a snapshot just now: what arrives with it was taken long before, and may go with it. */
const isHalfMade = ({ config }: Instance): boolean =>
  / making /.test(config['user.stapes.restoring-as'] ?? '')

/** What was there before, and every instance that no policy covers, stays as it was. */
const nothingForeignTouched: Invariant = (scene, fail) => {
  const { main, backup } = scene.world.incus
  const servers = [main, backup]
  const snapshots = new Set(
    servers.flatMap((incus) => all(incus).flatMap((one) => [...one.snapshots.values()])),
  )
  const strangers = servers.flatMap((incus) =>
    all(incus)
      .filter(({ name }) => incus === backup || !scene.covered.includes(name))
      .map((instance) => ({ instance, before: stateOf(instance) })),
  )
  return {
    listener: {
      gone(event) {
        if (snapshots.has(event.snapshot)) fail(`${say(event)} was there before and is removed`)
      },
      instanceGone({ remote, instance }) {
        const isStranger = strangers.some((one) => one.instance === instance)
        // What is made on request, and was left half made, goes again.
        const isOurs = isTemporary(instance) || isHalfMade(instance)
        if (isStranger || (remote === 'main' && !isOurs)) fail(`${remote}/${instance.name} is removed`)
      },
    },
    step() {
      for (const { instance, before } of strangers)
        if (stateOf(instance) !== before) fail(`${instance.name} is not as it was: ${stateOf(instance)}`)
    },
  }
}

/** Of a snapshot, by the relay, for an export or to read files: it goes again. */
const isTemporary = ({ name, config }: Instance): boolean =>
  /^stapes-(export|files)-[0-9a-f]{24}$/.test(name) && config['user.stapes.exporting'] !== undefined

const all = (incus: EmbeddedIncus): Instance[] => [
  ...(incus.state.projects.get('default')?.instances.values() ?? []),
]

const stateOf = ({ status, config, devices, snapshots }: Instance): string =>
  JSON.stringify([
    status,
    config,
    devices,
    [...snapshots.values()].map(({ name, expires }) => [name, expires]),
  ])

/** The newest good snapshot of an instance and policy is never removed by us. */
const newestStays: Invariant = (scene, fail) => ({
  listener: {
    gone(event) {
      const own = ownName(scene, event.snapshot.name)
      if (event.remote !== 'main' || own === null || event.snapshot.inMaking || expired(event)) return
      if (unseen(scene, event) > 0) return
      if (family(scene, event.instance, own.policy)[0]?.snapshot === event.snapshot)
        fail(`${say(event)} was the newest of its policy and is removed`)
    },
  },
})

/** The newest good snapshot common with a copy stays on both sides, and no target with verified ones goes. */
const newestCommonStays: Invariant = (scene, fail) => {
  const common = (name: string): string | undefined => {
    const source = instanceOn(scene.world.incus.main, name)
    const target = instanceOn(scene.world.incus.backup, name)
    if (source === undefined || target === undefined) return undefined
    return verifiedWhole(target)
      .filter(({ name: one, second }) => source.snapshots.get(one)?.second === second)
      .sort((a, b) => b.second - a.second)[0]?.name
  }
  return {
    listener: {
      gone(event) {
        const { instance, snapshot } = event
        if (!scene.covered.includes(instance.name) || snapshot.inMaking || expired(event)) return
        if (common(instance.name) === snapshot.name)
          fail(`${say(event)} was the newest common with the copy and is removed`)
      },
      instanceGone({ remote, instance }: InstanceEvent) {
        const lost = remote === 'backup' ? verifiedWhole(instance) : []
        if (lost.length > 0)
          fail(`${remote}/${instance.name} is removed with ${lost.length} verified snapshots`)
      },
    },
  }
}

const marksOf = (target: Instance) => parseVerified(target.config[VERIFIED])

const verifiedWhole = (target: Instance): Snapshot[] =>
  marksOf(target).flatMap(([name, second]) => {
    const found = target.snapshots.get(name)
    return found?.second === second && found.disk.held === 'whole' ? [found] : []
  })

/** What retention keeps is there: by our own count of the rules, over what stood there at that moment. */
const whatRetentionKeepsStays: Invariant = (scene, fail) => ({
  listener: {
    gone(event) {
      const own = ownName(scene, event.snapshot.name)
      if (event.remote !== 'main' || own === null || event.snapshot.inMaking || expired(event)) return
      if (unseen(scene, event) > 0) return
      const slots = family(scene, event.instance, own.policy).map(({ slot }) => slot)
      if (keepers(scene.keep[own.policy] ?? {}, slots).has(own.slot))
        fail(`${say(event)} is removed, and ${own.policy} keeps it`)
    },
  },
})

/** A mark, or a verified copy in the ledger, stands only for what really has data. */
const onlyVerifiedCounts: Invariant = (scene, fail) => ({
  step() {
    const { backup } = scene.world.incus
    for (const name of scene.covered) {
      const target = instanceOn(backup, name)
      for (const [snapshot, second] of target === undefined ? [] : marksOf(target))
        if (target?.snapshots.get(snapshot)?.second === second && !hasData(backup, { name }, snapshot))
          fail(`backup/${name}/${snapshot} is marked as verified and has no data`)
    }
    for (const [key, { state, newest }] of Object.entries(copiesOf(ledgerIn(scene.world)))) {
      const name = key.split('/').at(-1) ?? ''
      if (state === 'verified' && newest !== undefined && !hasData(backup, { name }, newest))
        fail(`${key} is noted as verified up to ${newest}, which has no data`)
    }
  },
})

export const ledgerIn = ({ kv }: World): Ledger | null => {
  const text = kv.peek('ledger')
  return text === null ? null : (JSON.parse(text) as Ledger)
}

/** Every slot ends exactly once, and what is told of it is true. */
const everySlotEnds: Invariant = (scene, fail) => {
  const made = new Set<string>()
  const isServed = (policy: string, slot: Date): boolean => {
    return scene.covered.every((instance) => made.has(`${instance} ${policy} ${slot.toISOString()}`))
  }
  return {
    listener: {
      made({ remote, instance, snapshot }) {
        const own = ownName(scene, snapshot.name)
        if (remote !== 'main' || own === null) return
        made.add(`${instance.name} ${own.policy} ${slotOf(scene.calendar, own.policy, own.slot)}`)
      },
    },
    step() {
      try {
        scene.book.read(scene.world.kv.peek('ledger'), scene.world.clock.now())
      } catch (error) {
        fail(String(error))
      }
      for (const { policy, slot, from, to } of scene.book.changes())
        if (from.outcome === 'served' && !isExcused(from, to))
          fail(`${policy} ${slot} was served and is now ${to.outcome}: ${to.reason}`)
    },
    end() {
      const open = new Set(scene.book.open().map(({ policy, slot }) => `${policy} ${slot}`))
      for (const [policy, slots] of Object.entries(scene.calendar)) {
        const period = (slots.at(-1)?.getTime() ?? 0) - (slots.at(-2)?.getTime() ?? 0)
        for (const slot of slots.filter((one) => one > scene.span.after && one <= scene.span.until)) {
          // Without a ledger nobody tells what became of it.
          if (scene.book.wasAbsent(Number(slot), Number(slot) + period)) continue
          const told = `${policy} ${slot.toISOString()}`
          const ending = scene.book.ending(policy, slot)
          if (ending === undefined) {
            if (!open.has(told)) fail(`${told} has no end`)
          } else if (ending.outcome === 'skipped') fail(`${told} is skipped, and there are instances`)
          else if (ending.outcome !== 'served' && ending.reason === '') fail(`${told} says no reason`)
          else if (ending.outcome === 'served' && !isServed(policy, slot))
            fail(`${told} is told to be served, and a snapshot is lacking`)
        }
      }
    },
  }
}

/** Said anew after the ledger was lost, when Incus could not be asked what was taken. */
const isExcused = (from: Ending, to: Ending): boolean =>
  from.ledger !== to.ledger && !to.reason.startsWith('no tick came in time')

/** Once nothing fails any more: the newest slots are there, verified on the target, and nothing else is. */
const converges: Invariant = (scene, fail) => ({
  end() {
    const { main, backup } = scene.world.incus
    for (const name of scene.covered) {
      const source = instanceOn(main, name)
      for (const [policy, slots] of Object.entries(scene.calendar)) {
        const newest = slots
          .filter((slot) => slot <= scene.span.until)
          .at(-1)
          ?.toISOString()
        const last = source === undefined ? undefined : family(scene, source, policy)[0]?.slot
        const found = last === undefined ? undefined : slotOf(scene.calendar, policy, last)
        if (newest !== found) fail(`main/${name}: the newest of ${policy} is ${found}, not ${newest}`)
      }
      const target = instanceOn(backup, name)
      const bad = [...(target?.snapshots.values() ?? [])].find(({ disk }) => disk.held !== 'whole')
      if (bad !== undefined) fail(`backup/${name}/${bad.name} has no data`)
    }
    for (const [key, { state, reason = '' }] of Object.entries(copiesOf(ledgerIn(scene.world))))
      if (state !== 'verified') fail(`${key} is ${state}: ${reason}`)
  },
})

/** What runs isn't left frozen by our work, whatever breaks: in these scenes nobody else freezes anything. */
const nothingStaysFrozen: Invariant = (scene, fail) => ({
  end() {
    for (const name of scene.covered) {
      const status = instanceOn(scene.world.incus.main, name)?.status
      if (status === 'Frozen') fail(`main/${name} is frozen`)
    }
  },
})

/** In this order at each step: the first reads the ledger, which the others go by. */
/** Ordinary life trips no brake, with faults, restarts and a lost ledger in it. */
const brakeStaysOff: Invariant = ({ world }, fail) => ({
  step() {
    if (world.kv.peek('ledger')?.includes('"braked"') !== true) return
    const [first] = Object.values(ledgerIn(world)?.sight?.braked ?? {})
    if (first !== undefined) fail(first)
  },
})

const INVARIANTS = {
  everySlotEnds,
  oneSnapshotPerSlot,
  nothingForeignTouched,
  newestStays,
  newestCommonStays,
  whatRetentionKeepsStays,
  onlyVerifiedCounts,
  converges,
  nothingStaysFrozen,
  brakeStaysOff,
  wellOnlyIfKept,
}
export type InvariantName = keyof typeof INVARIANTS

/**
 * What one failing instance must leave alone: the others are as in a world where nothing failed. Of a
 * replica only the policy that copies counts; what else travels with it may be gone an hour sooner.
 */
export function failureStaysApart(scene: Scene, calm: World, failing: string, copying: string): void {
  for (const name of scene.covered.filter((one) => one !== failing))
    for (const [remote, policy] of [
      ['main', ''],
      ['backup', copying],
    ] as const) {
      const found = holdings(scene.world.incus[remote], name, policy)
      const wanted = holdings(calm.incus[remote], name, policy)
      if (found !== wanted)
        throw new Violation(
          'failureStaysApart',
          `${remote}/${name} holds ${found}, without ${failing}: ${wanted}`,
        )
    }
}

/** The names of an instance's snapshots, those without data with a remark; all, or one policy's. */
export const holdings = (incus: EmbeddedIncus, name: string, policy = ''): string =>
  [...(instanceOn(incus, name)?.snapshots.values() ?? [])]
    .filter((one) => one.name.startsWith(policy))
    .map(({ name: one, disk }) => (disk.held === 'whole' ? one : `${one} (${disk.held})`))
    .sort()
    .join(' ')

export type Watch = {
  /** After each step; throws a Violation. */
  step(): void
  /** At the end of all. */
  end(): void
}

/** From now on all invariants are watched. */
export function watchOver(scene: Scene): Watch {
  const found: Violation[] = []
  const checks = Object.entries(INVARIANTS).map(([name, invariant]) =>
    invariant(scene, (text) => found.push(new Violation(name, `${text} (at ${time(scene)})`))),
  )
  listen(scene.world, {
    made: (event) => {
      if (isHalfMade(event.instance)) return
      for (const { listener } of checks) listener?.made?.(event)
    },
    gone: (event) => {
      if (isHalfMade(event.instance)) return
      for (const { listener } of checks) listener?.gone?.(event)
    },
    instanceGone: (event) => {
      for (const { listener } of checks) listener?.instanceGone?.(event)
    },
  })
  const report = () => {
    if (found[0] !== undefined) throw found[0]
  }
  return {
    step() {
      for (const { step } of checks) step?.()
      report()
    },
    end() {
      for (const { end } of checks) end?.()
      report()
    },
  }
}

const time = ({ world }: Scene): string => new Date(world.clock.now()).toISOString()
