/** The state of each copy when a run plans, and findings about one. */
import { workKey } from '../../ledger/work.ts'
import type { PlanContext } from '../../plan/context.ts'
import type { Finding } from '../../plan/finding.ts'
import type { Note } from '../../plan/plan.ts'
import type { Covered } from '../../policy/cover.ts'
import type { Compared } from './compare.ts'
import { COPY, type CopyWork } from './entry.ts'
import type { Judgement } from './judge.ts'
import type { Replica } from './replica.ts'

export type CopyContext = Pick<PlanContext, 'world' | 'ledger' | 'now' | 'sorter' | 'installation'> & {
  /** Instances of which no copy starts now, by key, each with the reason. */
  busy: ReadonlyMap<string, string>
  /** Requested replicas (by key), which don't wait for their next retry. */
  wanted?: ReadonlySet<string>
  /** Those of them that may remove what the brake holds. */
  allowed?: ReadonlySet<string>
  /** The policies that cover a source, by its key. */
  coveringOf(source: string): readonly Covered[]
}

export type Judged = Compared & { judgement: Judgement }

export const isWanted = ({ replica }: Judged, { wanted }: CopyContext): boolean =>
  wanted?.has(replica.key) === true

export const entryOf = (replica: Replica, entry: CopyWork): Finding => ({
  work: { [workKey(COPY, replica.key)]: entry },
})

export const noteOf = ({ key }: Replica, kind: Note['kind'], reason: string): Finding => ({
  notes: [{ kind, about: key, reason }],
})

/** Somebody confirmed what the brake holds back there. */
export const isAllowed = ({ key }: Replica, { allowed }: Pick<CopyContext, 'allowed'>): boolean =>
  allowed?.has(key) === true
