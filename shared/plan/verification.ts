/** What is done once a transfer has landed: marks, expiries on both sides, and the target's own retention. */
import { expiresAt } from '../incus/expiry.ts'
import type { CopyContext } from './copies.ts'
import { letGo, type Sieve } from './expire.ts'
import type { Judgement } from './judge.ts'
import type { ExpireAction, VerifyAction } from './plan.ts'
import type { Replica, Seen } from './replica.ts'

export function verification(
  replica: Replica,
  seen: Seen,
  { marks, fresh, memo, ledger }: Extract<Judgement, { phase: 'landed' }>,
  { now, sieve }: Pick<CopyContext, 'now' | 'sieve'>,
): VerifyAction {
  const { source, target, wanting } = replica
  const expiry = wanting[0]?.copy.expiry ?? null
  const until = expiry === null ? null : expiresAt(expiry, now).toISOString()
  const { held } = source
  const listed = new Set((source.record.snapshots ?? []).map(([name]) => name))
  const restore = Object.entries(memo.extended).filter(([name]) => listed.has(name) && !held.has(name))
  const lasting = marks.flatMap(([name]) => (held.has(name) && !fresh.includes(name) ? [name] : []))
  return {
    kind: 'verify',
    source: source.ref,
    target,
    key: replica.key,
    marks,
    expiries: [...fresh, ...lasting].map((snapshot) => ({
      snapshot,
      expiresAt: held.has(snapshot) ? null : until,
    })),
    restore: restore.map(([snapshot, own]) => ({ snapshot, expiresAt: own })),
    expire: seen.state === 'there' ? expireOnTarget(replica, marks, ledger.newest, sieve) : [],
    reason: fresh.length === 0 ? 'nothing new came' : `${fresh.length} listed on both sides with equal dates`,
  }
}

/** Only what was verified is counted on the target, and only that is removed. */
function expireOnTarget(
  { wanting, target }: Replica,
  marks: VerifyAction['marks'],
  newest: string | undefined,
  sieve: Sieve,
): ExpireAction[] {
  const needed = new Map(newest === undefined ? [] : [[newest, 'newest snapshot common with the source']])
  return wanting.flatMap(({ covered, copy }) => {
    const retention = sieve.sort(covered.policy, copy.keep, marks, covered.held, null)
    return letGo(retention, needed).map(
      ({ snapshot, reason }): ExpireAction => ({
        kind: 'expire',
        ref: target,
        policy: covered.policy.name,
        snapshot,
        reason,
      }),
    )
  })
}
