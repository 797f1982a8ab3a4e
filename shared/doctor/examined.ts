/** What was collected at the edges for the doctor to judge. What is absent or an error isn't known, and never fine. */
import type { Ledger } from '../ledger/ledger.ts'
import type { TracedCoverage } from '../policy/coverage.ts'
import type { Config } from '../policy/policy.ts'
import type { Verdict } from '../promise/verdict.ts'
import type { RemoteReply } from '../relay/protocol.ts'

/** `heard`: when a message got through there last, as KV remembers (ISO 8601); null: it doesn't know of one. */
export type ChannelExam = { name: string; type: string; heard: string | null }

export type Examined = {
  now: Date
  /** As it holds now; null: nothing was applied, or it can't be read. */
  config: Config | null
  /** By what the last looks have noted. */
  verdict: Verdict
  ledger: Ledger | null
  channels: readonly ChannelExam[]
  /** What the relay has just seen, by remote: all that policies name. */
  remotes: Readonly<Record<string, RemoteReply>>
  coverages: readonly TracedCoverage[]
}
