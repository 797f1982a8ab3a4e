import { expect, test } from 'vitest'
import { createLimiter, type Limiter, type Verdict } from '../../../relay/engine/limiter.ts'
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts'

/** Calls per second with so many at once: rising up to `best`, falling slowly beyond. */
const rateAt = (best: number, active: number): number =>
  active <= best ? 20 * (active / best) ** 0.8 : 20 * (best / active) ** 0.35

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Seconds that a daemon takes for so many calls through a limiter; durations vary by 30 % either way. */
async function serve(limiter: Limiter, clock: VirtualClock, best: number, calls: number, seed: number) {
  const chance = random(seed)
  let active = 0
  const work = () =>
    new Promise<void>((resolve) => {
      active += 1
      const seconds = (active / rateAt(best, active)) * (0.7 + 0.6 * chance())
      clock.after(seconds * 1000, () => {
        active -= 1
        resolve()
      })
    })
  const began = clock.now()
  const call = { kind: 'create', urgent: false }
  await clock.until(Promise.all(Array.from({ length: calls }, () => limiter.run(call, work, () => 'done'))))
  return (clock.now() - began) / 1000
}

const daemons = [
  { name: 'one core', best: 1, first: 1.25, later: 1.1 },
  { name: 'two cores', best: 4, first: 1.1, later: 1.1 },
  { name: 'eight cores', best: 8, first: 1.2, later: 1.1 },
  { name: 'a big machine', best: 12, first: 1.6, later: 1.2 },
]

test.each(daemons)(
  '300 creates on $name take about as long as at its best',
  async ({ best, first, later }) => {
    for (const seed of [1, 2, 3]) {
      const clock = createVirtualClock()
      const limiter = createLimiter(clock)
      const ideal = 300 / 20
      expect(await serve(limiter, clock, best, 300, seed)).toBeLessThan(ideal * first)
      await serve(limiter, clock, best, 300, seed + 10)
      expect(await serve(limiter, clock, best, 300, seed + 20)).toBeLessThan(ideal * later)
    }
  },
)

test('never more calls at once than the limit says, nor more than sixteen', async () => {
  const clock = createVirtualClock()
  const limiter = createLimiter(clock)
  let active = 0
  const work = async () => {
    active += 1
    expect(active).toBeLessThanOrEqual(Math.min(16, limiter.limit() + 1))
    await new Promise<void>((resolve) => void clock.after(100, resolve))
    active -= 1
  }
  const calls = Array.from({ length: 400 }, () =>
    limiter.run({ kind: 'x', urgent: false }, work, () => 'done'),
  )
  await clock.until(Promise.all(calls))
  expect(active).toBe(0)
})

const verdicts: { name: string; verdict: Verdict; limit: number }[] = [
  { name: 'a refusal says nothing about the load', verdict: 'failed', limit: 4 },
  { name: 'four timeouts together halve it once', verdict: 'overwhelmed', limit: 2 },
]

test.each(verdicts)('$name', async ({ verdict, limit }) => {
  const clock = createVirtualClock()
  const limiter = createLimiter(clock)
  const call = () =>
    limiter.run(
      { kind: 'x', urgent: false },
      async () => {},
      () => verdict,
    )
  await clock.until(Promise.all([call(), call(), call(), call()]))
  expect(limiter.limit()).toBe(limit)
})

test('what belongs to a job that began goes first', async () => {
  const clock = createVirtualClock()
  const limiter = createLimiter(clock, { min: 1, max: 16 })
  const order: string[] = []
  const run = (name: string, urgent: boolean) =>
    limiter.run(
      { kind: 'x', urgent },
      async () => {
        order.push(name)
        await new Promise<void>((resolve) => void clock.after(10, resolve))
      },
      () => 'failed',
    )
  const first = ['a', 'b', 'c', 'd'].map((name) => run(name, false))
  await clock.until(Promise.all([...first, run('new', false), run('second step', true)]))
  expect(order).toEqual(['a', 'b', 'c', 'd', 'second step', 'new'])
})

test('work that throws gives its place back', async () => {
  const clock = createVirtualClock()
  const limiter = createLimiter(clock, { min: 1, max: 1 })
  const call = { kind: 'x', urgent: false }
  for (let i = 0; i < 5; i += 1) {
    const broken = limiter.run(
      call,
      () => Promise.reject(new Error('a bug')),
      () => 'done',
    )
    await expect(broken).rejects.toThrow('a bug')
  }
  expect(
    await limiter.run(
      call,
      async () => 'served',
      () => 'done',
    ),
  ).toBe('served')
})
