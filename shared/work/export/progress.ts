/** Texts about an export in progress, and at its end. */
import { sizeOf } from '../../chat/age.ts'
import type { Text } from '../../chat/message.ts'
import type { Long } from '../kind.ts'
import type { ExportWork } from './entry.ts'
import { LIVE } from './manifest.ts'

const entryOf = ({ entry }: { entry: unknown }): ExportWork | null => entry as ExportWork | null

export const exportWords: Long<ExportWork>['words'] = {
  doing: (item) => {
    const entry = entryOf(item)
    const where: Text =
      entry === null
        ? []
        : [
            ...(entry.snapshot === LIVE ? [] : [' at ', { code: entry.snapshot }]),
            ' to ',
            { code: entry.store },
          ]
    return ['exporting ', { code: item.subject }, ...where]
  },
  good: (item) => {
    const entry = entryOf(item)
    if (entry === null) return [{ code: item.subject }, ' is exported']
    const size: Text = entry.bytes === undefined ? [] : [`, ${sizeOf(entry.bytes)}`]
    return [
      { code: item.subject },
      ' is exported to ',
      { code: entry.store },
      ' as ',
      { code: entry.name },
      ...size,
    ]
  },
  after: () => [],
  title: (key, { store }) => ['The export of ', { code: key.split('>')[0] ?? key }, ' to ', { code: store }],
  left: () => [],
  ended: { one: 'export made', several: 'exports made', how: ' was made ' },
  broken: { one: 'failed export', several: 'failed exports' },
}
