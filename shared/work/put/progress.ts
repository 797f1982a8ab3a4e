/** Texts about files that are restored, and at their end. */
import type { Text } from '../../chat/message.ts'
import { cut, spoken, typed } from '../../chat/words.ts'
import { safeText } from '../../safe-text.ts'
import type { Long } from '../kind.ts'
import type { PutWork } from './entry.ts'

const entryOf = ({ entry }: { entry: unknown }): PutWork | null => entry as PutWork | null

const whatOf = ({ path, snapshot }: PutWork): Text => [{ code: safeText(path) }, ' of ', { code: snapshot }]

export const putWords: Long<PutWork>['words'] = {
  doing: (item) => {
    const entry = entryOf(item)
    const what: Text = entry === null ? ['files'] : whatOf(entry)
    return ['restoring ', ...what, ' into ', { code: item.subject }]
  },
  good: (item) => {
    const entry = entryOf(item)
    const what: Text = entry === null ? ['what was asked for'] : whatOf(entry)
    const but: Text = item.reason === null ? [] : ['; ', ...spoken(cut(item.reason))]
    return [...what, ' is restored into ', { code: item.subject }, ...but]
  },
  after: (item) => {
    const entry = entryOf(item)
    if (entry === null || item.end === null) return []
    const { safety } = entry
    return [
      '. The previous state is kept in ',
      { code: safety },
      ': ',
      typed(`restore ${item.subject} ${safety}`),
    ]
  },
  title: (key, entry) => ['Restoring ', ...whatOf(entry), ' into ', { code: key }],
  left: () => [],
  ended: { one: 'path restored', several: 'paths restored', how: ' was done ' },
  broken: { one: 'path not restored', several: 'paths not restored' },
}
