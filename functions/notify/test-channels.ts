/** Sends a test to each channel, whatever was told there before. */
import type { Channel } from '../../shared/notify/channel.ts'
import { testLetter } from '../../shared/notify/letter.ts'
import type { Tested } from '../../shared/notify/tested.ts'
import { type Sender, sendLetter } from './send.ts'

export const testChannels = (channels: readonly Channel[], sender: Sender): Promise<Tested[]> =>
  Promise.all(
    channels.map(async (channel) => {
      const sent = await sendLetter(channel, testLetter(sender.now()), sender)
      const { name, type } = channel
      return { name, type, ok: sent.ok, ...(sent.ok ? {} : { reason: sent.reason }) }
    }),
  )
