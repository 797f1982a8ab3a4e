/** `whoami`: the actor's ids, which grants can name, and what they permit. It needs no grant. */

import { describeAccess, grantsOf } from '../../access/permit.ts'
import { fold, MAX_CHARS } from '../../chat/details.ts'
import type { Message, Text } from '../../chat/message.ts'
import { cut } from '../../chat/words.ts'
import type { ReadCommand } from '../command.ts'
import type { Seen } from '../seen.ts'

export const whoami: ReadCommand = {
  kind: 'read',
  name: 'whoami',
  summary: 'Show your id and what you may do',
  // Answered without a grant too, because it says how to get one.
  role: 'viewer',
  parameters: [],
  examples: ['whoami'],
  needs: 'nothing',
  answer: (_, seen) => answer(seen),
}

/** Over the API no grant is asked for. */
const BY_TOKEN: Message = {
  ...{ to: 'caller', tone: 'info', details: [], buttons: [] },
  headline: ['You have the API’s token: you may do all that needs no second person'],
}

function answer({ actor, config }: Seen): Message {
  if (actor.platform === 'api') return BY_TOKEN
  const granted = grantsOf(config?.access, actor).length > 0
  const ids: Text[] = actor.principals.map((id) => ['Grants may name ', { code: cut(id, 120) }])
  const may: Text[] = granted ? describeAccess(config?.access, actor).map((line) => [cut(line)]) : []
  return {
    to: 'caller',
    tone: granted ? 'info' : 'warning',
    headline: [
      'You are ',
      { code: actor.id },
      granted ? '' : ', and no grant names you yet: an admin can add one to stapes.jsonc and apply it',
    ],
    details: [
      ...fold([...may, ...ids], ['the rest is in stapes.jsonc'], MAX_CHARS - 400),
      ...(granted ? [] : [{ kind: 'code' as const, text: snippetFor(actor.id) }]),
    ],
    buttons: [],
  }
}

/** For the document's top level. */
const snippetFor = (id: string): string =>
  [
    '"access": {',
    '  "grants": [',
    `    { "who": [${JSON.stringify(cut(id, 200))}], "role": "viewer" }`,
    '  ]',
    '}',
  ].join('\n')
