/** What requests to Incus are run with. */

import type { CallIo } from '../../../relay/engine/call-list.ts'
import type { Call } from '../../../relay/engine/calls.ts'
import { createCertificates } from '../../../relay/engine/certificates.ts'
import { createHooks } from '../../../relay/engine/hooks.ts'
import { createJournal } from '../../../relay/engine/journal.ts'
import { createSeal } from '../../../relay/engine/seal.ts'
import { createSuspects } from '../../../relay/engine/suspects.ts'
import { createUnseenCreates } from '../../../relay/engine/unseen-creates.ts'
import type { Upstream } from '../../../relay/engine/upstream.ts'
import type { Clock } from '../../../shared/clock.ts'

const REMOTES = {
  main: { address: 'https://main.example:8443' },
  backup: { address: 'https://backup.example:8443' },
}

export const callIo = (upstream: Upstream, clock: Clock): CallIo => ({
  ...{ upstream, clock, remotes: REMOTES },
  certificates: createCertificates(upstream, clock),
  hooks: createHooks(),
  suspects: createSuspects(),
  unseen: createUnseenCreates(clock),
  journal: createJournal(clock),
  sightings: { serverOf: () => null },
  seal: createSeal('of the relay'),
  timeouts: { round: 60_000, silence: 30_000 },
  admit: (_call: Call, _urgent, work) => work(),
})
