/** How long instances stood still when they were taken together with their volumes, the last time. */
import type { Text } from '../chat/message.ts'
import type { Ledger } from '../ledger/ledger.ts'

/** Of each policy's newest slot for which any of them did. */
export function stoodTexts(ledger: Ledger | null, isIt: (key: string) => boolean): Text[] {
  return Object.entries(ledger?.policies ?? {}).flatMap(([policy, { slots }]) => {
    const newest = slots.find(({ paused = {} }) => Object.keys(paused).some(isIt))
    return Object.entries(newest?.paused ?? {})
      .filter(([key]) => isIt(key))
      .map(
        ([key, seconds]): Text => [
          ...[{ code: policy }, ': ', { code: key }, ` stood still for ${seconds} s for the slot `],
          { at: newest?.slot ?? '', style: 'full' },
        ],
      )
  })
}
