/**
 * Used nonces, each kept until its request would be too old anyway. Memory is bounded. When it is full,
 * requests are refused, because a nonce that is dropped too early could be replayed.
 */
type Claim = 'new' | 'used' | 'full'

type Nonces = {
  /** Times in whole seconds since the epoch; `until` is the last second in which it would be accepted. */
  claim(nonce: string, until: number, now: number): Claim
}

const NONCES_KEPT = 250_000

export function createNonces(size = NONCES_KEPT): Nonces {
  /** By the second they are kept until, which is signed with them: a replay has the same. */
  const bySecond = new Map<number, Set<string>>()
  let kept = 0
  let forgotten = 0

  const forget = (now: number): void => {
    if (now === forgotten) return
    forgotten = now
    for (const [until, nonces] of bySecond) {
      if (until >= now) continue
      kept -= nonces.size
      bySecond.delete(until)
    }
  }
  return {
    claim(nonce, until, now) {
      forget(now)
      const nonces = bySecond.get(until) ?? new Set()
      if (nonces.has(nonce)) return 'used'
      if (kept >= size) return 'full'
      bySecond.set(until, nonces.add(nonce))
      kept += 1
      return 'new'
    },
  }
}
