/** Texts about a new instance that is being made, and at its end. */
import type { Text } from '../../chat/message.ts'
import { cut, spoken } from '../../chat/words.ts'
import type { Long } from '../kind.ts'
import type { CloneWork } from './entry.ts'

const entryOf = ({ entry }: { entry: unknown }): CloneWork | null => entry as CloneWork | null

const source = ({ snapshot, from }: CloneWork): Text => [{ code: snapshot }, ' of ', { code: from }]

export const cloneWords: Long<CloneWork>['words'] = {
  doing: (item) => {
    const entry = entryOf(item)
    return ['making ', { code: item.subject }, ...(entry === null ? [] : [' from ', ...source(entry)])]
  },
  good: (item) => {
    const entry = entryOf(item)
    const from: Text = entry === null ? [] : [', made from ', ...source(entry)]
    const but: Text = item.reason === null ? [] : ['; ', ...spoken(cut(item.reason))]
    return [{ code: item.subject }, ' is there', ...from, ...but]
  },
  after: () => [],
  title: (key, entry) => ['Making ', { code: key }, ' from ', ...source(entry)],
  left: () => [],
  ended: { one: 'instance made', several: 'instances made', how: ' was done ' },
  broken: { one: 'instance not made', several: 'instances not made' },
}
