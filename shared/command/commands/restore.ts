import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE, oneOf, SNAPSHOT } from '../scope.ts'

export const restore: ChangeCommand = {
  kind: 'change',
  does: 'restore',
  name: 'restore',
  summary: 'Restore an instance to one of its snapshots; its previous state is kept as a snapshot',
  role: 'admin',
  parameters: [
    INSTANCE,
    SNAPSHOT,
    {
      name: 'stateful',
      kind: 'switch',
      description: 'Also restore the memory in a virtual machine’s snapshot; without it, the machine boots',
      required: false,
      flag: true,
    },
  ],
  examples: ['restore web1 daily-20261122T0300Z', 'restore vm1 daily-20261122T0300Z --stateful'],
  request: (values, reason) =>
    ok({
      do: 'restore',
      reason,
      ...oneOf(values),
      ...(values.stateful === 'yes' ? { stateful: true } : {}),
    }),
}
