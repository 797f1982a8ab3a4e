/** Texts about a check in progress, and at its end. */
import type { Text } from '../../chat/message.ts'
import type { Long } from '../kind.ts'
import type { CheckWork } from './entry.ts'

const whereOf = ({ entry }: { entry: unknown }): Text => {
  const check = entry as CheckWork | null
  if (check === null) return []
  const name: Text = check.name === undefined ? [] : [{ code: check.name }, ' ']
  return [' ', ...name, 'in ', { code: check.store }]
}

export const checkWords: Long<CheckWork>['words'] = {
  doing: (item) => ['checking an export of ', { code: item.subject }, ...whereOf(item)],
  good: (item) => ['the export of ', { code: item.subject }, ...whereOf(item), ' is what was stored'],
  after: () => [],
  title: (key, { store }) => [
    'The check of an export of ',
    { code: key.split('>')[0] ?? key },
    ' in ',
    { code: store },
  ],
  left: () => [],
  ended: { one: 'export checked', several: 'exports checked', how: ' was done ' },
  broken: { one: 'failed check', several: 'failed checks' },
}
