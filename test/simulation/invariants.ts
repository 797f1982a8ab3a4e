/** What must hold whatever happens. Each looks at the servers themselves, not at what stapes believes. */

import { VERIFIED } from '../../shared/policy/marks.ts'
import { parseVerified } from '../../shared/work/copy/marks.ts'
import { removedByHand } from '../emulator/scene.ts'
import type { EmbeddedIncus } from '../emulator/server.ts'
import { copiesOf } from '../long-work.ts'
import {
  exportsConverge,
  newestExportStays,
  oneExportPerSlot,
  onlyMadeExportsCount,
} from './export-invariants.ts'
import { onlyWholeGroupsCount } from './group-invariants.ts'
import {
  type HolderEvent,
  hasExpired,
  holderOn,
  holdersOn,
  type Invariant,
  isHalfMade,
  isTemporary,
  ledgerIn,
  nameOf,
  type Own,
  ownName,
  type Scene,
  type SnapshotEvent,
  say,
  secondOf,
} from './invariant.ts'
import { type Held, type Holder, listen } from './journal.ts'
import { keepers } from './keepers.ts'
import { nothingStaysBehind, nothingStaysFrozen } from './leftover-invariants.ts'
import { type Ending, slotOf } from './slot-book.ts'
import { wellOnlyIfKept } from './well.ts'
import type { World } from './world.ts'

class Violation extends Error {
  readonly invariant: string

  constructor(invariant: string, text: string) {
    super(`${invariant}: ${text}`)
    this.invariant = invariant
  }
}

/** Nobody saw the end of its making, so that it may be partial: it is replaced, or goes. */
function isUnseen(scene: Scene, { holder, snapshot }: SnapshotEvent, own: Own): boolean {
  const isDoubted = scene.book.unseen(`main/default/${nameOf(holder)}`, snapshot.name) > 0
  return isDoubted || isGivenUp(scene, nameOf(holder), own)
}

/** Whoever takes a group removes all of it where one answer was lost; so it never was told. */
const isGivenUp = ({ book, groups, calendar }: Scene, name: string, { policy, slot }: Own): boolean =>
  groups.of(policy, name).length > 0 &&
  book.ending(policy, new Date(slotOf(calendar, policy, slot)))?.outcome !== 'served'

/** The other snapshots of the same policy, with its own, newest slot first; none that has no data, or is a part. */
const family = (scene: Scene, holder: Holder, policy: string): { snapshot: Held; slot: string }[] =>
  [...holder.snapshots.values()]
    .flatMap((snapshot) => {
      const own = ownName(scene, snapshot.name)
      const isGood =
        snapshot.disk.held === 'whole' && scene.groups.isWhole(policy, nameOf(holder), snapshot.name)
      return own?.policy === policy && isGood ? [{ snapshot, slot: own.slot }] : []
    })
    .sort((a, b) => (a.slot < b.slot ? 1 : -1))

/**
 * A name may be so much older than the data: the jitter of the scenes, two ticks, and what delays a tick. A server that
 * just failed gets one snapshot at a time, and dir takes minutes for each.
 */
const latestMinutes = ({ covered }: Scene): number => 10 + 2 + (covered.length > 3 ? 12 : 4)

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
        const name = nameOf(event.holder)
        const key = `${name} ${own.policy} ${slot}`
        const times = (made.get(key) ?? 0) + 1
        const { counts } = scene.world.kv
        const withheld = counts.refused > (refused.get(key) ?? 0)
        made.set(key, times)
        refused.set(key, counts.refused)
        const text = `${say(event)} is made once more, the ${times}th time`
        judgements.push(() => {
          const tries = scene.book.unseenOf(`main/default/${name}`, own.policy, slot)
          // A tick that KV kept from telling that it made one again leaves that to the next.
          const untold = tries > 0 && withheld
          if (times > 1 + 2 * tries && !untold) fail(text)
        })
        const minutes = (event.at - Date.parse(own.slot)) / 60_000
        if (minutes < 0 || minutes > latestMinutes(scene))
          fail(`${say(event)} is made ${minutes} min after its name`)
      },
      gone({ remote, holder, snapshot }) {
        // It came to nothing, so it may be tried again.
        const own = ownName(scene, snapshot.name)
        if (remote !== 'main' || own === null) return
        const name = nameOf(holder)
        const isPart = scene.groups.isPart(own.policy, name, snapshot.name)
        if (!snapshot.inMaking && !isPart && !isGivenUp(scene, name, own)) return
        const key = `${name} ${own.policy} ${slotOf(scene.calendar, own.policy, own.slot)}`
        made.set(key, (made.get(key) ?? 1) - 1)
      },
    },
    step() {
      for (const judge of judgements) judge()
      judgements = []
    },
  }
}

/** What was there before, and every instance that no policy covers, stays as it was. */
const nothingForeignTouched: Invariant = (scene, fail) => {
  const { incus, stores } = scene.world
  const { main, backup } = incus
  const servers = [main, backup]
  const snapshots = new Set(
    servers.flatMap((server) => holdersOn(server).flatMap((one): Held[] => [...one.snapshots.values()])),
  )
  const strangers = servers.flatMap((server) =>
    holdersOn(server)
      .filter((one) => server === backup || !scene.covered.includes(nameOf(one)))
      .map((holder) => ({ holder, before: stateOf(holder) })),
  )
  const exports = new Set(stores.made.keys())
  return {
    listener: {
      gone(event) {
        if (snapshots.has(event.snapshot)) fail(`${say(event)} was there before and is removed`)
      },
      holderGone({ remote, holder }) {
        if (removedByHand.has(holder)) return
        const isStranger = strangers.some((one) => one.holder === holder)
        // What is made on request, and was left half made, goes again.
        const isOurs = isTemporary(holder) || isHalfMade(holder)
        if (isStranger || (remote === 'main' && !isOurs)) fail(`${remote}/${nameOf(holder)} is removed`)
      },
      exported({ key }) {
        if (stores.made.has(key)) fail(`${key} is overwritten`)
      },
      exportGone({ key }) {
        if (exports.has(key)) fail(`${key} was there before and is removed`)
      },
    },
    step() {
      for (const { holder, before } of strangers)
        if (stateOf(holder) !== before) fail(`${nameOf(holder)} is not as it was: ${stateOf(holder)}`)
    },
  }
}

const stateOf = (holder: Holder): string =>
  JSON.stringify([
    'status' in holder ? [holder.status, holder.devices] : holder.description,
    holder.config,
    [...holder.snapshots.values()].map(({ name, expires }) => [name, expires]),
  ])

/** The newest good snapshot of an instance and policy is never removed by us. */
const newestStays: Invariant = (scene, fail) => ({
  listener: {
    gone(event) {
      const own = ownName(scene, event.snapshot.name)
      if (event.remote !== 'main' || own === null || event.snapshot.inMaking || hasExpired(event)) return
      if (isUnseen(scene, event, own)) return
      if (family(scene, event.holder, own.policy)[0]?.snapshot === event.snapshot)
        fail(`${say(event)} was the newest of its policy and is removed`)
    },
  },
})

/** The newest good snapshot common with a copy stays on both sides, and no target with verified ones goes. */
const newestCommonStays: Invariant = (scene, fail) => {
  const common = (name: string): string | undefined => {
    const source = holderOn(scene.world.incus.main, name)
    const target = holderOn(scene.world.incus.backup, name)
    if (source === undefined || target === undefined) return undefined
    return verifiedWhole(target)
      .filter((one) => isThere(source, [one.name, secondOf(one)]))
      .sort((a, b) => secondOf(b) - secondOf(a))[0]?.name
  }
  return {
    listener: {
      gone(event) {
        const { holder, snapshot } = event
        const name = nameOf(holder)
        if (!scene.covered.includes(name) || snapshot.inMaking || hasExpired(event)) return
        if (common(name) === snapshot.name)
          fail(`${say(event)} was the newest common with the copy and is removed`)
      },
      holderGone({ remote, holder }: HolderEvent) {
        const lost = remote === 'backup' ? verifiedWhole(holder) : []
        if (lost.length > 0)
          fail(`${remote}/${nameOf(holder)} is removed with ${lost.length} verified snapshots`)
      },
    },
  }
}

const marksOf = (target: Holder) => parseVerified(target.config[VERIFIED])

type Pair = readonly [name: string, second: number]

function isThere({ snapshots }: Holder, [name, second]: Pair): boolean {
  const found = snapshots.get(name)
  return found !== undefined && secondOf(found) === second
}

const verifiedWhole = (target: Holder): Held[] =>
  marksOf(target).flatMap((pair): Held[] => {
    const found = target.snapshots.get(pair[0])
    return found?.disk.held === 'whole' && isThere(target, pair) ? [found] : []
  })

/** What retention keeps is there: by our own count of the rules, over what stood there at that moment. */
const whatRetentionKeepsStays: Invariant = (scene, fail) => ({
  listener: {
    gone(event) {
      const own = ownName(scene, event.snapshot.name)
      if (event.remote !== 'main' || own === null || event.snapshot.inMaking || hasExpired(event)) return
      if (isUnseen(scene, event, own)) return
      const slots = family(scene, event.holder, own.policy).map(({ slot }) => slot)
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
      const target = holderOn(backup, name)
      for (const pair of target === undefined ? [] : marksOf(target))
        if (target !== undefined && isThere(target, pair) && !hasData(target, pair[0]))
          fail(`backup/${name}/${pair[0]} is marked as verified and has no data`)
    }
    for (const [key, { state, newest }] of Object.entries(copiesOf(ledgerIn(scene.world)))) {
      const name = key.split('/').at(-1) ?? ''
      if (state === 'verified' && newest !== undefined && !hasData(holderOn(backup, name), newest))
        fail(`${key} is noted as verified up to ${newest}, which has no data`)
    }
  },
})

const hasData = (holder: Holder | undefined, snapshot: string): boolean =>
  holder?.snapshots.get(snapshot)?.disk.held === 'whole'

/** Every slot ends exactly once, and what is told of it is true. */
const everySlotEnds: Invariant = (scene, fail) => {
  const made = new Set<string>()
  const isServed = (policy: string, slot: Date): boolean => {
    return scene.covered.every((instance) => made.has(`${instance} ${policy} ${slot.toISOString()}`))
  }
  return {
    listener: {
      made({ remote, holder, snapshot }) {
        const own = ownName(scene, snapshot.name)
        if (remote !== 'main' || own === null) return
        made.add(`${nameOf(holder)} ${own.policy} ${slotOf(scene.calendar, own.policy, own.slot)}`)
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
      const source = holderOn(main, name)
      for (const [policy, slots] of Object.entries(scene.calendar)) {
        const newest = slots
          .filter((slot) => slot <= scene.span.until)
          .at(-1)
          ?.toISOString()
        const last = source === undefined ? undefined : family(scene, source, policy)[0]?.slot
        const found = last === undefined ? undefined : slotOf(scene.calendar, policy, last)
        if (newest !== found) fail(`main/${name}: the newest of ${policy} is ${found}, not ${newest}`)
      }
      const target = holderOn(backup, name)
      const bad = snapshotsOf(target).find(({ disk }) => disk.held !== 'whole')
      if (bad !== undefined) fail(`backup/${name}/${bad.name} has no data`)
    }
    for (const [key, { state, reason = '' }] of Object.entries(copiesOf(ledgerIn(scene.world))))
      if (state !== 'verified') fail(`${key} is ${state}: ${reason}`)
  },
})

/** Ordinary life trips no brake, with faults, restarts and a lost ledger in it. */
const brakeStaysOff: Invariant = ({ world }, fail) => ({
  step() {
    if (world.kv.peek('ledger')?.includes('"braked"') !== true) return
    const [first] = Object.values(ledgerIn(world)?.sight?.braked ?? {})
    if (first !== undefined) fail(first)
  },
})

/** In this order at each step: the first reads the ledger, which the others go by. */
const INVARIANTS = {
  everySlotEnds,
  oneSnapshotPerSlot,
  nothingForeignTouched,
  newestStays,
  newestCommonStays,
  whatRetentionKeepsStays,
  onlyVerifiedCounts,
  onlyWholeGroupsCount,
  oneExportPerSlot,
  newestExportStays,
  onlyMadeExportsCount,
  converges,
  exportsConverge,
  nothingStaysFrozen,
  nothingStaysBehind,
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
  snapshotsOf(holderOn(incus, name))
    .filter((one) => one.name.startsWith(policy))
    .map(({ name: one, disk }) => (disk.held === 'whole' ? one : `${one} (${disk.held})`))
    .sort()
    .join(' ')

const snapshotsOf = (holder: Holder | undefined): Held[] => [...(holder?.snapshots.values() ?? [])]

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
      if (isHalfMade(event.holder)) return
      for (const { listener } of checks) listener?.made?.(event)
    },
    gone: (event) => {
      if (isHalfMade(event.holder)) return
      for (const { listener } of checks) listener?.gone?.(event)
    },
    holderGone: (event) => {
      for (const { listener } of checks) listener?.holderGone?.(event)
    },
    exported: (event) => {
      for (const { listener } of checks) listener?.exported?.(event)
    },
    exportGone: (event) => {
      for (const { listener } of checks) listener?.exportGone?.(event)
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
