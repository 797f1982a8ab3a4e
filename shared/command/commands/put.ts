import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { FROM, INSTANCE, oneOf, SNAPSHOT } from '../scope.ts'

export const put: ChangeCommand = {
  kind: 'change',
  does: 'put',
  name: 'put',
  summary: 'Restore a file or a folder of a snapshot into its instance; the state before is kept',
  role: 'admin',
  seldom: true,
  parameters: [
    INSTANCE,
    SNAPSHOT,
    { name: 'path', kind: 'path', description: 'The file or the folder, such as /etc/hosts', required: true },
    FROM,
  ],
  examples: ['put web1 daily-20261122T0300Z /etc/hosts', 'put web1 daily-20261122T0300Z /srv --from=backup'],
  request: ({ path = '', from, ...values }, reason) =>
    ok({ do: 'put', reason, ...oneOf(values), path, from }),
}
