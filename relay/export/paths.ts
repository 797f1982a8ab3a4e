/** Where the exports of an instance lie in a store: `remote/project/instance`, each written so that it is one name of a file. */
import type { InstanceRef } from '../../shared/incus/subject.ts'

export const folderOf = ({ remote, project, instance }: InstanceRef): string =>
  [remote, project, instance].map(segmentOf).join('/')

/** No name begins with a dot. */
const segmentOf = (name: string): string => encodeURIComponent(name).replace(/^\./, '%2E')
