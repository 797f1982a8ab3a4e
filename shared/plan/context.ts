/** The input of a decision. */
import type { Ledger } from '../ledger/ledger.ts'
import type { Coverage } from '../policy/cover.ts'
import type { Facts } from '../promise/facts.ts'
import type { Sorter } from '../retention/sorter.ts'
import type { Installation } from './installation.ts'
import type { AnyRequest } from './request.ts'
import type { World } from './world.ts'

export type PlanInput = {
  coverages: readonly Coverage[]
  world: World
  ledger: Ledger
  /** What the looks before have shown; null: nothing is known. Absent: nobody asks. */
  facts?: Facts | null | undefined
  now: Date
  /** When the configuration was applied (ISO 8601); absent: not known. */
  applied?: string | undefined
  installation: Installation
  /** Absent: plan by schedule. */
  request?: AnyRequest | undefined
  /** Also note what is kept and why, line by line: for people, not needed to perform. */
  explain?: boolean | undefined
}

/** The input of the kinds of work: the same, with what is computed once for all of them. */
export type PlanContext = PlanInput & { sorter: Sorter }
