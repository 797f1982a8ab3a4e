/** Snapshots get other names, and those of custom volumes descriptions. */
import { subjectKey } from '../../incus/subject.ts'
import type { Kind } from '../kind.ts'
import type { DescribeAction, DescribeRequest, RenameAction, RenameRequest } from './action.ts'
import { describeLine, renameLine } from './lines.ts'
import { requestDescription, requestRename } from './request.ts'
import { describeSteps, renameSteps } from './steps.ts'

export const rename: Kind<RenameAction | DescribeAction, RenameRequest | DescribeRequest> = {
  name: 'rename',
  verbs: {
    rename: { subject: ({ ref }) => subjectKey(ref), line: renameLine, steps: renameSteps },
    describe: { subject: ({ ref }) => subjectKey(ref), line: describeLine, steps: describeSteps },
  },
  tallies: [
    { sign: '#', name: 'rename', will: 'renames', did: 'renamed', one: 'snapshot' },
    { sign: '#', name: 'describe', will: 'describes', did: 'described', one: 'snapshot' },
  ],
  requests: { rename: requestRename, describe: requestDescription },
}
