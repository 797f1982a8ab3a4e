/** New instances that are being imported. A try of an encrypted export needs its key, which nothing remembers. */
import { type InstanceRef, instanceOf } from '../../incus/subject.ts'
import type { PlanContext } from '../../plan/context.ts'
import type { Finding } from '../../plan/finding.ts'
import { type Maker, planMaking } from '../making.ts'
import type { ImportAction } from './action.ts'
import { IMPORT, type ImportWork, importIn } from './entry.ts'
import { jobOf } from './steps.ts'
import { RETRY } from './tries.ts'

export const planImports = (context: PlanContext): Finding => planMaking(IMPORTS, context)

const IMPORTS: Maker<ImportWork> = {
  kind: IMPORT,
  isMine: (making) => making?.imported === true,
  entryIn: importIn,
  doing: 'it is being imported',
  done: ({ name, of, store }) => `it was imported from ${name} of ${of} in ${store}`,
  needed: () => ({}),
  jobOf,
  again,
  retry: RETRY,
}

function again(ref: InstanceRef, entry: ImportWork): ImportAction | { cannot: string } {
  if (entry.encrypted === true)
    return {
      cannot: 'the export is encrypted, and its key was kept nowhere: request the import again, with its key',
    }
  return {
    ...{ kind: 'import', of: instanceOf(entry.of), store: entry.store, name: entry.name, to: ref },
    ...{ start: entry.start, pool: entry.pool ?? null, key: null, job: entry.job },
    ...(entry.given === undefined ? {} : { given: entry.given }),
    reason: `try ${entry.attempts + 1}: ${entry.reason ?? ''}`,
  }
}
