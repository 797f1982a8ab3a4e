/** Texts about a restore in progress, and at its end. */
import type { Text } from '../../chat/message.ts'
import { cut, spoken, typed } from '../../chat/words.ts'
import type { Long } from '../kind.ts'
import type { RestoreWork } from './entry.ts'

const entryOf = ({ entry }: { entry: unknown }): RestoreWork | null => entry as RestoreWork | null

export const restoreWords: Long<RestoreWork>['words'] = {
  doing: (item) => {
    const snapshot = entryOf(item)?.snapshot
    const to: Text = snapshot === undefined ? [] : [' to ', { code: snapshot }]
    return ['restoring ', { code: item.subject }, ...to]
  },
  good: (item) => {
    const snapshot = entryOf(item)?.snapshot
    const to: Text = snapshot === undefined ? ['restored'] : ['restored to ', { code: snapshot }]
    const but: Text = item.reason === null ? [] : ['; ', ...spoken(cut(item.reason))]
    return [{ code: item.subject }, ' is ', ...to, ...but]
  },
  // The safety snapshot holds what was there before the restore; one that failed may have failed before it.
  after: (item) => {
    const safety = entryOf(item)?.safety
    if (safety === undefined) return []
    const kept: Text =
      item.end === 'good'
        ? ['. The previous state is kept in ', { code: safety }]
        : [
            '. The previous state is in ',
            { code: safety },
            ', if ',
            typed(`list ${item.subject}`),
            ' shows that snapshot',
          ]
    return [...kept, '; to go back: ', typed(`restore ${item.subject} ${safety}`)]
  },
  title: (key, { snapshot }) => ['The restore of ', { code: key }, ' to ', { code: snapshot }],
  left: () => [],
  ended: { one: 'instance restored', several: 'instances restored', how: ' was done ' },
  broken: { one: 'failed restore', several: 'failed restores' },
}
