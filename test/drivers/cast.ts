/** Who plays: an instance for each ordered pair of drivers, and one on each driver that runs and is restored. */
import { KINDS, type Kind } from './pools.ts'

export type Pair = { from: Kind; to: Kind; instance: string }

export const PAIRS: readonly Pair[] = KINDS.flatMap((from) =>
  KINDS.map((to) => ({ from, to, instance: `${from}-to-${to}` })),
)

export const runningOn = (kind: Kind): string => `running-on-${kind}`

const copiedTo = (kind: Kind): string[] =>
  PAIRS.filter(({ to }) => to === kind).map(({ instance }) => instance)

/** Every policy has the one slot that comes next. */
export const documentFor = (slot: Date) => {
  const schedule = `${slot.getUTCMinutes()} ${slot.getUTCHours()} * * *`
  const policy = { schedule, keep: { last: 1 }, expiry: '30d', catchup: '1h' }
  const copies = KINDS.map((kind) => [
    `to-${kind}`,
    {
      ...{ select: { remotes: ['main'], instances: copiedTo(kind) }, ...policy },
      copy: { remote: 'backup', pool: kind },
    },
  ])
  const here = { select: { remotes: ['main'], instances: ['running-on-*'] }, ...policy }
  return { policies: Object.fromEntries([['here', here], ...copies]) }
}
