/** An export in a plan's digest, without its name, which is the time. */
import { subjectKey } from '../../incus/subject.ts'
import type { ExportAction } from './action.ts'

export const exportEssence = ({ ref, snapshot, store, optimized }: ExportAction): string =>
  `export ${subjectKey(ref)} ${snapshot} ${store}${optimized ? ' optimized' : ''}`
