/** Policies that name a hook which the relay doesn't have, or not for an instance of theirs: told before its first slot fails by that. */
import type { InstanceRecord } from '../incus/inventory.ts'
import { own } from '../own.ts'
import type { RemoteReply } from '../relay/protocol.ts'
import type { Covered } from './cover.ts'
import { compileGlobs } from './glob.ts'
import type { Policy, Together } from './policy.ts'

type Warning = { about: string; reason: string }

/** A relay of an earlier version doesn't say which hooks it has: then nothing is said of them. */
export function hookWarnings(
  { name, paused }: Pick<Policy, 'name' | 'paused'>,
  covered: readonly Covered[],
  replies: Readonly<Record<string, RemoteReply>>,
): Warning[] {
  if (paused) return []
  const found = covered.flatMap(({ ref, key, record, policy: { together } }): Warning[] => {
    const reply = own(replies, ref.remote)
    const known = reply?.ok === true ? reply.inventory.rules?.hooks : undefined
    const hook = together?.hook?.name
    if (hook === undefined || known === undefined || isVolume(record)) return []
    const instances = own(known, hook)
    if (instances === undefined) {
      const names = Object.keys(known).sort()
      const has = names.length === 0 ? 'has no hooks' : `knows ${names.join(', ')}`
      const reason = `the relay has no hook "${hook}" (relay.jsonc ${has}), so ${outcomeOf(together)}: add it there and restart the relay, or name another`
      return [{ about: `policy ${name}`, reason }]
    }
    if (compileGlobs(instances)(key)) return []
    const reason = `the hook "${hook}" of relay.jsonc isn't for it, so ${outcomeOf(together)}: add it to the hook's "instances" and restart the relay`
    return [{ about: key, reason }]
  })
  return [...new Map(found.map((one) => [`${one.about} ${one.reason}`, one])).values()]
}

const isVolume = ({ type }: InstanceRecord): boolean => type === 'volume'

const outcomeOf = (together: Together | undefined | null): string =>
  together?.hook?.otherwise === 'pause' ? 'it stands still instead' : 'while it runs it gets no snapshots'
