/** Reads from the relay everything that the policies need, in one call. */

import { maySelectBy } from '../shared/incus/user-keys.ts'
import type { Ledger } from '../shared/ledger/ledger.ts'
import { familyOf, standsApart, subjectIn } from '../shared/ledger/work.ts'
import { coversBuckets } from '../shared/policy/buckets.ts'
import { remotesOf } from '../shared/policy/places.ts'
import type { Config } from '../shared/policy/policy.ts'
import { coversVolumes } from '../shared/policy/volumes.ts'
import {
  type ComesAgain,
  type InventoryReply,
  type InventoryRequest,
  LONGEST_NAME,
} from '../shared/relay/protocol.ts'
import { err } from '../shared/result.ts'
import type { Relay } from './incus/relay.ts'

/** The keys that policies select by, and whether they cover volumes or buckets, as members of the request. */
export function keysOf({ policies }: Config): Pick<InventoryRequest, 'config' | 'volumes' | 'buckets'> {
  const named = new Set(policies.flatMap(({ select }) => Object.keys(select.config)))
  // The relay would refuse the whole call for one of the others.
  const config = [...named].filter(maySelectBy)
  const volumes = policies.some(({ select }) => coversVolumes(select))
  const buckets = policies.some(({ select }) => coversBuckets(select))
  return {
    ...(config.length === 0 ? {} : { config }),
    ...(volumes ? { volumes } : {}),
    ...(buckets ? { buckets } : {}),
  }
}

/** Without an answer of the relay all remotes are unknown, not empty. */
export async function observe(
  config: Config,
  ledger: Ledger,
  relay: Relay,
  comesAgain: ComesAgain = {},
): Promise<InventoryReply> {
  const remotes = remotesOf(config.policies)
  const reply = await relay.inventory({
    ...{ remotes, ...keysOf(config), adopt: adoptable(ledger) },
    ...comesAgain,
  })
  if (reply.ok) return reply.value
  const unknown = err({ ...reply.error, of: 'relay' as const })
  return { remotes: Object.fromEntries(remotes.map((remote) => [remote, unknown])), jobs: [] }
}

/** Running work that a restarted relay may adopt. */
const adoptable = ({ work }: Ledger): NonNullable<InventoryRequest['adopt']> =>
  Object.entries(work).flatMap(([key, { state, job, remote, operation, memo }]) => {
    if (state !== 'running' || operation === undefined || remote === undefined) return []
    const family = familyOf(key)
    const id = job ?? `${family}:adopted`
    const lock = standsApart(key) ? family : subjectIn(key)
    // The relay would refuse the whole call for one of them.
    if (![id, family, remote, operation, lock].every(isName)) return []
    return [{ id, family, remote, operation, lock, ...(memo === undefined ? {} : { memo }) }]
  })

const isName = (text: string): boolean => text !== '' && text.length <= LONGEST_NAME && !/\p{Cs}/u.test(text)
