/** How an export reads. */
import { nounOf, subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import type { ExportAction } from './action.ts'

export const exportLine = ({ ref, snapshot, store, name, optimized, reason }: ExportAction): Line => ({
  about: subjectKey(ref),
  sign: '»',
  what: store,
  reason: `${reason}: ${nounOf(ref) === 'bucket' ? 'it, as it is and with its keys,' : snapshot} as a file in ${store}, ${name}${optimized ? ', in the form of its pool’s driver' : ''}`,
})
