/** What was told, where, and what has to be told again. It stands in KV under a key of its own. */
import * as z from 'zod/mini'
import { count, isObject, type Lose, mapOf, moment, partOf } from '../ledger/parts.ts'
import type { Channel } from './channel.ts'
import { GRAVITIES, type Gravity } from './channel.ts'
import { channelSchema } from './parse-channel.ts'

/** How a channel was told of an alarm. */
export type Telling = {
  /** The last time. */
  at: string
  times: number
  severity: Gravity
  /** The service's id of the first message, where it can be edited. */
  ref?: string
}

export type Notice = {
  /** When it was noticed: with its id, the name of this occurrence. */
  since: string
  /** When it began, by what it says itself. */
  began: string
  /** What it is, for when it is over. */
  title: string
  /** Ids of its troubles, of all that it ever had. */
  members: string[]
  /** What it is about one by one, all that it ever was. */
  each?: string[]
  /** What of that came later, and when, until every channel was told. */
  fresh?: Record<string, string>
  /** The server answers again since then, though a promise of it is still broken. */
  back?: string
  /** Nothing of it stands any more, since then. */
  gone?: string
  /** By the channel's name. */
  told: Record<string, Telling>
}

/** Why the last message didn't get through, and when the next is tried. */
type Failing = { since: string; count: number; reason: string; retryAt: string; final?: boolean }

export type ChannelState = {
  /** As it was configured, to tell it when it is no longer. Names of secrets, not their values. */
  as: Channel
  /** The last digest. */
  digestAt?: string
  failing?: Failing
}

/** Who is about to send: of two ticks at once only one may. */
export type Claim = { by: string; at: string; kind: 'waits' | 'returns' }

export type Notices = {
  /** By the alarm's id. */
  open: Record<string, Notice>
  channels: Record<string, ChannelState>
  claim?: Claim
}

export const NO_NOTICES: Notices = { open: {}, channels: {} }

const may = z.exactOptional
const text = z.string()

const tellingSchema: z.ZodMiniType<Telling> = z.looseObject({
  at: moment,
  times: count,
  severity: z.enum(GRAVITIES),
  ref: may(text),
})

const noticeSchema = z.looseObject({
  since: moment,
  began: moment,
  title: text,
  members: z.array(text),
  each: may(z.array(text)),
  fresh: may(z.record(text, moment)),
  back: may(moment),
  gone: may(moment),
})

const failingSchema: z.ZodMiniType<Failing> = z.looseObject({
  since: moment,
  count,
  reason: text,
  retryAt: moment,
  final: may(z.boolean()),
})

const claimSchema: z.ZodMiniType<Claim> = z.looseObject({
  by: text,
  at: moment,
  kind: z.enum(['waits', 'returns']),
})

/** What can't be read is lost: it is told again while it lasts. */
export function parseNotices(value: unknown): Notices {
  if (!isObject(value)) return NO_NOTICES
  const lose: Lose = () => {}
  const claim = partOf(value.claim, claimSchema, 'claim', lose)
  return {
    open: mapOf(value.open, 'open', lose, (item, part) => noticeOf(item, part, lose)),
    channels: mapOf(value.channels, 'channels', lose, (item, part) => channelOf(item, part, lose)),
    ...(claim === undefined ? {} : { claim }),
  }
}

function noticeOf(item: unknown, part: string, lose: Lose): Notice | undefined {
  const known = partOf(item, noticeSchema, part, lose)
  if (known === undefined || !isObject(item)) return undefined
  const told = mapOf(item.told, part, lose, (one, name) => partOf(one, tellingSchema, name, lose))
  return { ...known, told }
}

function channelOf(item: unknown, part: string, lose: Lose): ChannelState | undefined {
  if (!isObject(item)) return undefined
  const as = partOf(item.as, channelSchema, part, lose)
  if (as === undefined) return undefined
  const digestAt = partOf(item.digestAt, moment, part, lose)
  const failing = partOf(item.failing, failingSchema, part, lose)
  return {
    as,
    ...(digestAt === undefined ? {} : { digestAt }),
    ...(failing === undefined ? {} : { failing }),
  }
}
