/** An import in a plan's digest: all that decides what is made, and where. */
import { subjectKey } from '../../incus/subject.ts'
import type { ImportAction } from './action.ts'

export const importEssence = ({ of, store, name, to, start, pool, given }: ImportAction): string =>
  [
    ...['import', subjectKey(to), subjectKey(of), store, name, start, pool ?? ''],
    ...(given === undefined ? [] : [JSON.stringify(given)]),
  ].join(' ')
