/** What was told to whom, under a key of its own in KV. */
import * as z from 'zod/mini'
import { LEEWAY } from '../../shared/ledger/beat.ts'
import { moment } from '../../shared/ledger/parts.ts'
import { dropFuture } from '../../shared/notify/ahead.ts'
import { type ChannelState, NO_NOTICES, type Notices, parseNotices } from '../../shared/notify/notices.ts'
import type { Tested } from '../../shared/notify/tested.ts'
import { own } from '../../shared/own.ts'
import { parseJson } from '../chatops/form.ts'
import type { State } from './ledger.ts'

const KEY = 'notices'

/** None where they can't be read: what still stands is told once more. Without dates that a clock ahead has written. */
export async function readNotices(state: Pick<State, 'get'>, now: Date): Promise<Notices> {
  const text = await state.get(KEY)
  if (text === null) return NO_NOTICES
  try {
    const notices = dropFuture(parseNotices(JSON.parse(text) as unknown), now)
    const isFailing = Object.values(notices.channels).some(({ failing }) => failing !== undefined)
    return isFailing ? withoutMended(notices, await readTested(state, now)) : notices
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    return NO_NOTICES
  }
}

/** A test that got through since then: the failure is over. */
function withoutMended(notices: Notices, tested: Readonly<Record<string, string>>): Notices {
  const channels = Object.entries(notices.channels).map(([name, state]): [string, ChannelState] => {
    const { failing, ...sound } = state
    return [name, failing !== undefined && (own(tested, name) ?? '') > failing.since ? sound : state]
  })
  return { ...notices, channels: Object.fromEntries(channels) }
}

/** Beside the notices, which only ticks may write: what a request has read of them may be a minute old. */
const TESTED = 'tested'

const testedSchema = z.record(z.string(), moment)

/** When a test got through, by the channel's name. One that a clock ahead has noted counts for nothing. */
export async function readTested(state: Pick<State, 'get'>, now: Date): Promise<Record<string, string>> {
  const parsed = testedSchema.safeParse(parseJson((await state.get(TESTED)) ?? ''))
  const limit = now.getTime() + LEEWAY
  const sound = Object.entries(parsed.data ?? {}).filter(([, at]) => Date.parse(at) <= limit)
  return Object.fromEntries(sound)
}

/** Only where that ends a failure, or was the first one. KV may take no writes: then the next message ends it. */
export async function noteTested(state: State, tested: readonly Tested[], now: Date): Promise<void> {
  const { channels } = await readNotices(state, now)
  const before = await readTested(state, now)
  const mended = tested.filter(
    ({ name, ok }) => ok && (own(channels, name)?.failing !== undefined || own(before, name) === undefined),
  )
  if (mended.length === 0) return
  const at = now.toISOString()
  const all = {
    ...before,
    ...Object.fromEntries(mended.map(({ name }) => [name, at])),
  }
  await state.put(TESTED, JSON.stringify(all)).catch(() => {})
}

export const writeNotices = (state: State, notices: Notices): Promise<void> =>
  state.put(KEY, JSON.stringify(notices))
