/** Dates in what was told that lie in the future and can't: a clock was ahead. They would keep a channel silent until then. */
import { LEEWAY } from '../ledger/beat.ts'
import type { ChannelState, Notice, Notices } from './notices.ts'

/** The longest wait until a channel that failed is tried again. */
const LONGEST_WAIT = 30 * 60_000

export function dropFuture({ open, channels, ...rest }: Notices, now: Date): Notices {
  const past = (at: string, longest = 0): string =>
    new Date(at).getTime() > now.getTime() + longest + LEEWAY ? now.toISOString() : at
  const notice = ({ back, gone, fresh, told, ...one }: Notice): Notice => ({
    ...one,
    since: past(one.since),
    began: past(one.began),
    ...(back === undefined ? {} : { back: past(back) }),
    ...(gone === undefined ? {} : { gone: past(gone) }),
    ...(fresh === undefined
      ? {}
      : { fresh: Object.fromEntries(Object.entries(fresh).map(([name, at]) => [name, past(at)])) }),
    told: Object.fromEntries(
      Object.entries(told).map(([name, telling]) => [name, { ...telling, at: past(telling.at) }]),
    ),
  })
  const channel = ({ as, digestAt, failing }: ChannelState): ChannelState => ({
    as,
    ...(digestAt === undefined ? {} : { digestAt: past(digestAt) }),
    ...(failing === undefined
      ? {}
      : {
          failing: { ...failing, since: past(failing.since), retryAt: past(failing.retryAt, LONGEST_WAIT) },
        }),
  })
  return {
    ...rest,
    open: Object.fromEntries(Object.entries(open).map(([id, one]) => [id, notice(one)])),
    channels: Object.fromEntries(Object.entries(channels).map(([name, one]) => [name, channel(one)])),
  }
}
