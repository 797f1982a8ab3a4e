/** All that a decision depends on. */
import type { Ledger } from '../ledger/ledger.ts'
import type { Coverage } from '../policy/cover.ts'
import type { Sorter } from '../retention/sorter.ts'
import type { Installation } from './installation.ts'
import type { AnyRequest } from './request.ts'
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
  request?: AnyRequest | undefined
  /** Also note what is kept and why, line by line: for people, not needed to perform. */
  explain?: boolean | undefined
}

/** What the kinds of work plan by: the same question, with what is worked out once for all of them. */
export type Scene = Question & { sorter: Sorter }
