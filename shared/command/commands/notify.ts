/** `notify test`: a message to each channel that is told when something is not well, and what came back. */

import type { Message, Text } from '../../chat/message.ts'
import { count, cut } from '../../chat/words.ts'
import type { ReadCommand } from '../command.ts'
import type { Seen } from '../seen.ts'
import { nothingConfigured } from '../unconfigured.ts'

export const notify: ReadCommand = {
  kind: 'read',
  name: 'notify',
  summary: 'Send a test to each notification channel',
  // It is seen by whoever reads these channels.
  role: 'operator',
  parameters: [{ name: 'what', kind: 'text', description: 'test', required: true }],
  examples: ['notify test'],
  needs: 'channels',
  answer: ({ what = '' }, seen) => (what === 'test' ? answer(seen) : usage(what)),
}

const usage = (what: string): Message => ({
  ...{ to: 'caller', tone: 'warning', details: [], buttons: [] },
  headline: ['Nothing was sent: it is ', { code: '/backup notify test' }, ', not ', { code: cut(what, 40) }],
})

function answer({ config, tested = [] }: Seen): Message {
  if (config === null) return nothingConfigured()
  const failed = tested.filter(({ ok }) => !ok)
  const lines = tested.map(({ name, type, ok, reason = '' }): Text => {
    const came = ok ? 'it took the message' : `failed: ${cut(reason)}`
    return [{ code: name }, ` (${type}): ${came}`]
  })
  return {
    to: 'caller',
    tone: tested.length === 0 || failed.length > 0 ? 'warning' : 'good',
    headline: [
      tested.length === 0
        ? 'There are no notification channels: add "notify" to stapes.jsonc and apply it'
        : `${count(tested.length - failed.length, 'channel')} of ${tested.length} took the message`,
    ],
    details: lines.length === 0 ? [] : [{ kind: 'lines', lines }],
    buttons: [],
  }
}
