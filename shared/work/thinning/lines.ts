/** How the removal of an export reads. */
import { subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import type { ExpireExportAction } from './action.ts'

export const expireExportLine = ({
  ref,
  store,
  name,
  snapshot,
  policy,
  reason,
}: ExpireExportAction): Line => ({
  about: subjectKey(ref),
  sign: '-',
  counts: 'export',
  what: `${store}:${name}`,
  reason: `${reason}: the export of ${snapshot} goes from ${store}, by the keep of ${policy}’s exports`,
})
