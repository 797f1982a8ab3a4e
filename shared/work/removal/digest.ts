/** A removal in a plan's digest: not until when it can be taken back, which depends on the clock. */
import { subjectKey } from '../../incus/subject.ts'
import type { RemoveExportAction } from './action.ts'

export const removalEssence = ({ ref, store, name, snapshot, last }: RemoveExportAction): string =>
  `remove-export ${subjectKey(ref)} ${store} ${name} ${snapshot}${last ? ' last' : ''}`
