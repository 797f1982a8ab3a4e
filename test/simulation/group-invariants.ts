/** What is taken together counts as a whole, or not at all. */
import { holderOn, type Invariant, ownName } from './invariant.ts'
import { slotOf } from './slot-book.ts'

/** A slot of it is served only by what was whole, and of one moment. */
export const onlyWholeGroupsCount: Invariant = ({ world, calendar, covered, groups, book }, fail) => {
  const whole = new Set<string>()
  const first = (policy: string): string | undefined =>
    covered.find((name) => groups.of(policy, name)[0] === name)
  const policies = Object.keys(calendar).filter((policy) => first(policy) !== undefined)
  return {
    step() {
      const now = new Date(world.clock.now()).toISOString()
      for (const policy of policies) {
        const name = first(policy) ?? ''
        for (const snapshot of holderOn(world.incus.main, name)?.snapshots.keys() ?? []) {
          const own = ownName({ calendar }, snapshot)
          if (own?.policy === policy && groups.isWhole(policy, name, snapshot))
            whole.add(`${policy} ${slotOf(calendar, policy, own.slot)}`)
        }
        const slot = slotOf(calendar, policy, now)
        const isServed = book.ending(policy, new Date(slot))?.outcome === 'served'
        if (isServed && !whole.has(`${policy} ${slot}`))
          fail(`${policy} ${slot} is told to be served, and of ${name}’s group there is only a part`)
      }
    },
  }
}
