/** The removal of an export in a plan's digest. */
import { subjectKey } from '../../incus/subject.ts'
import type { ExpireExportAction } from './action.ts'

export const thinningEssence = ({ ref, store, name }: ExpireExportAction): string =>
  `expire-export ${subjectKey(ref)} ${store} ${name}`
