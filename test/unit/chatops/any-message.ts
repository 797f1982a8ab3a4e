/** Messages of whatever people write, which a platform's stand-in has to take without a word. */
import fc from 'fast-check'
import { expect } from 'vitest'
import type { Outgoing } from '../../../functions/chatops/platform.ts'
import type { Message } from '../../../shared/chat/message.ts'
import { messages } from '../../golden/chatops/messages.ts'

/** `piece`: what is likely to go wrong on this platform. */
export async function assertTaken(
  piece: fc.Arbitrary<string>,
  post: (message: Message) => Outgoing | null,
  endpoint: { handle(request: Request): Promise<Response> },
): Promise<void> {
  const text = fc.array(
    fc.oneof(
      piece,
      fc.record({ code: piece }),
      fc.record({ strong: piece }),
      fc.record({ user: piece }),
      fc.record({ at: piece, style: fc.constant('full' as const) }),
    ),
    { maxLength: 5 },
  )
  await fc.assert(
    fc.asyncProperty(text, fc.array(text, { maxLength: 5 }), piece, async (headline, lines, code) => {
      const posted = post({
        ...messages.ended,
        headline: ['x', ...headline],
        details: [
          { kind: 'lines', lines },
          { kind: 'code', text: code },
        ],
      })
      const request = new Request(posted?.url ?? '', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(posted?.body),
      })
      expect(await (await endpoint.handle(request)).text()).toBe('ok')
    }),
  )
}
