/** Whether KV takes what stapes writes, and how much that is in a day. */

import type { Policy } from '../policy/policy.ts'
import { nextSlot } from '../schedule/slots.ts'
import type { Examined } from './examined.ts'
import { critical, type Finding, info, warning } from './finding.ts'

/** Of the free plan, until midnight UTC. */
const ALLOWED = 1000

export function aboutKv({ verdict, config, now }: Examined): Finding[] {
  const failing = verdict.conditions
    .filter(({ id }) => id.startsWith('kv '))
    .map(({ text }) =>
      critical(
        'kv-fails',
        null,
        text,
        'docs/state.md says what goes on without it. Where the day’s writes are used up: wait until midnight UTC, or take a paid plan',
      ),
    )
  const writes = writesOf(config?.policies ?? [], now)
  const what = `Cloudflare tells no Worker how many of the day's writes are left (${ALLOWED} on the free plan); by its policies stapes makes about ${writes} a day`
  return [
    ...failing,
    writes > ALLOWED * 0.8
      ? warning(
          'kv-writes',
          null,
          what,
          'take a paid plan, or schedule less often: slots of several policies at one time are one write',
        )
      : info(
          'kv-writes',
          null,
          what,
          'the metrics of the namespace in Cloudflare’s dashboard show how many were made today',
        ),
  ]
}

const DAY = 86_400_000
/** That a look was made is noted each ten minutes. */
const LOOKS = 144
/** Of a slot: that it began, what was begun, its end, and what the look after it has shown. */
const EACH_SLOT = 4

/** About so many, where nothing fails: slots at the same minute are written as one. */
function writesOf(policies: readonly Policy[], now: Date): number {
  const until = now.getTime() + DAY
  const minutes = new Set<number>()
  const active = policies.filter(({ paused }) => !paused)
  for (const policy of active)
    for (let after = now; ; ) {
      const next = nextSlot({ ...policy, after })
      if (next === null || next.getTime() >= until) break
      minutes.add(next.getTime())
      after = next
    }
  return active.length === 0 ? 0 : LOOKS + minutes.size * EACH_SLOT
}
