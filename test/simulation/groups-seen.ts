/** Whether what was taken together is whole, and of one moment: by the server, where nothing asks it. */
import type { Instance } from '../emulator/state.ts'
import { holderOn, nameOf } from './invariant.ts'
import { type Holder, listen } from './journal.ts'
import type { World } from './world.ts'

export type Groups = {
  /** Of what the policy takes together with it, itself included; empty: by itself. */
  of(policy: string, name: string): readonly string[]
  /** Whether all of it has that snapshot, and what ran stood still from the first one's beginning to the last one's end. */
  isWhole(policy: string, name: string, snapshot: string): boolean
  /** Whether it never was. */
  isPart(policy: string, name: string, snapshot: string): boolean
}

/** `members` of each policy: one group, whose first is an instance that runs all the time. */
export function watchGroups(world: World, members: Record<string, readonly string[]>): Groups {
  const torn = new Set<string>()
  /** Of which some is removed again. */
  const ended = new Set<string>()
  const { main } = world.incus
  const of: Groups['of'] = (policy, name) => {
    const group = members[policy] ?? []
    return group.includes(name) ? group : []
  }
  const holders = (group: readonly string[]): Holder[] => group.flatMap((name) => holderOn(main, name) ?? [])
  const has = (group: readonly string[], snapshot: string): boolean => {
    const found = holders(group).map((holder) => holder.snapshots.get(snapshot))
    return found.length === group.length && found.every((one) => one?.disk.held === 'whole')
  }
  const isWhole: Groups['isWhole'] = (policy, name, snapshot) => {
    const group = of(policy, name)
    if (group.length === 0) return true
    return !torn.has(`${policy} ${snapshot}`) && has(group, snapshot)
  }
  for (const [policy, group] of Object.entries(members)) {
    const [first = ''] = group
    const runner = holderOn(main, first) as Instance
    follow(runner, () => {
      for (const { snapshots } of holders(group))
        for (const { name, inMaking } of snapshots.values()) if (inMaking) torn.add(`${policy} ${name}`)
    })
    listen(world, {
      made({ remote, holder, snapshot: { name } }) {
        if (remote !== 'main' || !group.includes(nameOf(holder))) return
        const key = `${policy} ${name}`
        // Another try under that name.
        if (!holders(group).some(({ snapshots }) => snapshots.has(name)))
          for (const known of [torn, ended]) known.delete(key)
        if (runner.status !== 'Frozen') torn.add(key)
      },
      gone({ remote, holder, snapshot: { name } }) {
        const subject = nameOf(holder)
        if (remote !== 'main' || !group.includes(subject)) return
        if (isWhole(policy, subject, name)) ended.add(`${policy} ${name}`)
      },
    })
  }
  return {
    of,
    isWhole,
    isPart: (policy, name, snapshot) =>
      !isWhole(policy, name, snapshot) && !ended.has(`${policy} ${snapshot}`),
  }
}

/** Hears when it no longer stands still, before it is so. */
function follow(runner: Instance, runs: () => void): void {
  let { status } = runner
  Object.defineProperty(runner, 'status', {
    enumerable: true,
    configurable: true,
    get: () => status,
    set(next: Instance['status']) {
      if (status === 'Frozen' && next !== 'Frozen') runs()
      status = next
    },
  })
}
