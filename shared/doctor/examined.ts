/** What was collected at the edges for the doctor to judge. What is absent or an error isn't known, and never fine. */
import type { Ledger } from '../ledger/ledger.ts'
import type { TracedCoverage } from '../policy/coverage.ts'
import type { Config } from '../policy/policy.ts'
import type { Verdict } from '../promise/verdict.ts'
import type { ExamReply } from '../relay/exam.ts'
import type { CallError, RemoteReply } from '../relay/protocol.ts'
import type { Result } from '../result.ts'

/** `heard`: when a message got through there last, as KV remembers (ISO 8601); null: it doesn't know of one. */
export type ChannelExam = { name: string; type: string; heard: string | null }

/**
 * What the relay has looked at for the doctor. `skew`: seconds that its clock is ahead of the Worker's, or behind it (negative).
 * `isShut`: it refused a call that nobody had signed; null: that could not be tried.
 */
export type RelayFacts = ExamReply & { skew: number; isShut: boolean | null }

export type Examined = {
  now: Date
  /** Of the Worker. */
  version: string
  /** As it holds now; null: nothing was applied, or it can't be read. */
  config: Config | null
  /** By what the last looks have noted. */
  verdict: Verdict
  ledger: Ledger | null
  channels: readonly ChannelExam[]
  /** What the relay has just seen, by remote: all that policies name. */
  remotes: Readonly<Record<string, RemoteReply>>
  coverages: readonly TracedCoverage[]
  relay: Result<RelayFacts, CallError>
}
