/** Texts about an import in progress, and at its end. */
import type { Text } from '../../chat/message.ts'
import { cut, spoken } from '../../chat/words.ts'
import type { Long } from '../kind.ts'
import type { ImportWork } from './entry.ts'

const entryOf = ({ entry }: { entry: unknown }): ImportWork | null => entry as ImportWork | null

const source = ({ name, of, store }: ImportWork): Text => [
  ...['the export ', { code: name }, ' of ', { code: of }, ' in ', { code: store }],
]

export const importWords: Long<ImportWork>['words'] = {
  doing: (item) => {
    const entry = entryOf(item)
    return ['importing ', { code: item.subject }, ...(entry === null ? [] : [' from ', ...source(entry)])]
  },
  good: (item) => {
    const entry = entryOf(item)
    const from: Text = entry === null ? [] : [', imported from ', ...source(entry)]
    const but: Text = item.reason === null ? [] : ['; ', ...spoken(cut(item.reason))]
    return [{ code: item.subject }, ' is there', ...from, ...but]
  },
  after: () => [],
  title: (key, entry) => ['The import of ', { code: key }, ' from ', ...source(entry)],
  left: () => [],
  ended: { one: 'import made', several: 'imports made', how: ' was made ' },
  broken: { one: 'failed import', several: 'failed imports' },
}
