import { refuseRenaming } from '../../incus/snapshot-name.ts'
import { err, ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE, oneOf, SNAPSHOT } from '../scope.ts'

export const rename: ChangeCommand = {
  kind: 'change',
  does: 'rename',
  name: 'rename',
  summary: 'Call a snapshot otherwise, that no slot has taken and no copy has',
  role: 'operator',
  seldom: true,
  parameters: [
    INSTANCE,
    SNAPSHOT,
    {
      name: 'as',
      kind: 'name',
      description: 'The new name, such as before-upgrade',
      required: true,
      flag: true,
    },
  ],
  examples: ['rename web1 manual-20261122T1017Z --as=before-upgrade'],
  request({ as = '', ...values }, reason) {
    const why = refuseRenaming(values.snapshot ?? '', as)
    return why === null ? ok({ do: 'rename', reason, ...oneOf(values), to: as }) : err(`rename: ${why}`)
  },
}
