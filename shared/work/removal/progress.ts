/** Texts about exports that somebody had removed. */
import type { Text } from '../../chat/message.ts'
import type { Long } from '../kind.ts'
import type { RemovalWork } from './entry.ts'

const whichOf = (entry: unknown): Text => {
  const removal = entry as RemovalWork | null
  return removal === null ? [] : [' ', { code: removal.name }, ' from ', { code: removal.store }]
}

export const removalWords: Long<RemovalWork>['words'] = {
  doing: (item) => ['removing the export', ...whichOf(item.entry), ' of ', { code: item.subject }],
  good: (item) => ['the export', ...whichOf(item.entry), ' of ', { code: item.subject }, ' is gone'],
  after: () => [],
  title: (key, entry) => [
    'The removal of the export',
    ...whichOf(entry),
    ' of ',
    { code: key.split('>')[0] ?? key },
  ],
  left: () => [],
  ended: { one: 'export removed', several: 'exports removed', how: ' was done ' },
  broken: { one: 'failed removal', several: 'failed removals' },
}
