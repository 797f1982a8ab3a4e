/** Sends a test to each channel, whatever was told there before. */
import type { Channel } from '../../shared/notify/channel.ts'
import { testLetter } from '../../shared/notify/letter.ts'
import type { Tested } from '../../shared/notify/tested.ts'
import type { Io } from '../run.ts'
import type { StoredConfig } from '../state/config.ts'
import { type Sender, sendLetter } from './send.ts'

/** To those of the applied configuration. */
export const testApplied = async (
  io: Pick<Io, 'tryChannels'>,
  stored: StoredConfig | null,
): Promise<Tested[]> => (await io.tryChannels?.(stored?.config.notify ?? [])) ?? []

export const testChannels = (channels: readonly Channel[], sender: Sender): Promise<Tested[]> =>
  Promise.all(
    channels.map(async (channel) => {
      const sent = await sendLetter(channel, testLetter(sender.now()), sender)
      const { name, type } = channel
      return { name, type, ok: sent.ok, ...(sent.ok ? {} : { reason: sent.reason }) }
    }),
  )
