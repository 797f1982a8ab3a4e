/** Slows down who guesses the token: so many wrong ones of one address in a minute, then none is looked at. */
const MOST = 10
const WINDOW = 60_000
/** Addresses that are remembered. In memory: strangers must not be able to use up KV's writes. */
const REMEMBERED = 1000

type Tries = { since: number; wrong: number }

type Attempts = {
  isBlocked(address: string, now: Date): boolean
  noteWrong(address: string, now: Date): void
}

export function createAttempts(): Attempts {
  const tries = new Map<string, Tries>()
  const recent = (address: string, now: Date): Tries | undefined => {
    const known = tries.get(address)
    return known !== undefined && Math.abs(now.getTime() - known.since) < WINDOW ? known : undefined
  }
  return {
    isBlocked: (address, now) => (recent(address, now)?.wrong ?? 0) >= MOST,
    noteWrong(address, now) {
      const { since, wrong } = recent(address, now) ?? { since: now.getTime(), wrong: 0 }
      tries.delete(address)
      tries.set(address, { since, wrong: wrong + 1 })
      const [oldest] = tries.keys()
      if (tries.size > REMEMBERED && oldest !== undefined) tries.delete(oldest)
    },
  }
}
