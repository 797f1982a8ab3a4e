/** All that a decision depends on. */
import type { Ledger } from '../ledger/ledger.ts'
import type { Coverage } from '../policy/cover.ts'
import type { Ask } from './ask.ts'
import type { Installation } from './owner.ts'
import type { World } from './world.ts'

export type Question = {
  coverages: readonly Coverage[]
  world: World
  ledger: Ledger
  now: Date
  /** When the configuration was applied (ISO 8601); absent: not known. */
  applied?: string | undefined
  installation: Installation
  /** Somebody asks for something now; absent: what the schedule says. */
  ask?: Ask | undefined
  /** Also note what is kept and why, line by line: for people, not needed to perform. */
  explain?: boolean | undefined
}
