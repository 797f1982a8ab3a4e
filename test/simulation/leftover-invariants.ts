/** What work leaves behind: nothing stands still, and nothing that was made for a while stays. */
import type { Instance } from '../emulator/state.ts'
import { holdersOn, type Invariant, isHalfMade, isTemporary, nameOf } from './invariant.ts'
import type { Holder } from './journal.ts'
import type { Remote } from './world.ts'

const HOUR = 3_600_000
/** Milliseconds in which the relay can be reached, and the server. */
const STILL = HOUR / 2
const DAY = 24 * HOUR

/** What runs isn't left frozen by our work, whatever breaks: in these scenes nobody else freezes anything. */
export const nothingStaysFrozen: Invariant = ({ world, covered }, fail) => {
  /** Since when, by name, as long as something could be done about it. */
  const since = new Map<string, number>()
  let lives = 0
  const frozen = (): Instance[] =>
    holdersOn(world.incus.main).flatMap((one) =>
      'status' in one && one.status === 'Frozen' && covered.includes(one.name) ? [one] : [],
    )
  return {
    step() {
      const found = frozen()
      if (found.length === 0) return since.clear()
      const now = world.clock.now()
      const { main } = world.incus
      if (!world.relay.up || main.phase === 'down' || main.lives !== lives) since.clear()
      lives = main.lives
      for (const { name } of found) {
        const from = since.get(name) ?? now
        since.set(name, from)
        if (now - from > STILL) fail(`main/${name} has been frozen since ${new Date(from).toISOString()}`)
      }
    },
    end() {
      for (const { name } of frozen()) fail(`main/${name} is frozen`)
    },
  }
}

/** Nothing made for an export or to read files, nothing half made, and no backup on a server is older than a day. */
export const nothingStaysBehind: Invariant = ({ world, span }, fail) => {
  const ours = (remote: Remote): Holder[] =>
    holdersOn(world.incus[remote]).filter((one) => isTemporary(one) || isHalfMade(one))
  const age = (createdAt: string): number => world.clock.now() - Date.parse(createdAt)
  return {
    step() {
      for (const remote of ['main', 'backup'] as const) {
        for (const one of ours(remote))
          if (age(one.createdAt) > DAY) fail(`${remote}/${nameOf(one)} is older than a day`)
        for (const one of holdersOn(world.incus[remote]))
          for (const backup of one.backups.values())
            if (age(backup.createdAt) > DAY)
              fail(`${remote}/${nameOf(one)}: backup ${backup.name} is older than a day`)
      }
    },
    end() {
      if (world.clock.now() < span.until.getTime()) return
      for (const remote of ['main', 'backup'] as const)
        for (const one of ours(remote))
          if (age(one.createdAt) > HOUR) fail(`${remote}/${nameOf(one)} is left behind`)
    },
  }
}
