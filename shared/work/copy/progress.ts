/** Texts about a copy in progress, and at its end. */
import type { Text } from '../../chat/message.ts'
import { targetIn } from '../../ledger/work.ts'
import type { Long } from '../kind.ts'
import type { CopyWork } from './entry.ts'

export const copyWords: Long<CopyWork>['words'] = {
  doing: ({ subject }) => ['copying ', { code: subject }],
  good: ({ key, subject, entry }) => {
    const newest = (entry as CopyWork | null)?.newest
    const upTo: Text = newest === undefined ? [] : [' up to ', { code: newest }]
    return [{ code: subject }, ' is verified on ', { code: targetIn(key) }, ...upTo]
  },
  after: () => [],
  title: (key) => {
    const [source = key, target = ''] = key.split('>')
    return ['The copy of ', { code: source }, ' to ', { code: target }]
  },
  left: ({ newest }) =>
    newest === undefined ? [] : ['. The newest verified snapshot there is ', { code: newest }],
  ended: { one: 'copy verified', several: 'copies verified', how: ' was verified ' },
  broken: { one: 'copy not verified', several: 'copies not verified' },
}
