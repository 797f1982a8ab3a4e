import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE, oneOf, SNAPSHOT } from '../scope.ts'

export const restore: ChangeCommand = {
  kind: 'change',
  does: 'restore',
  name: 'restore',
  summary: 'Put an instance back to one of its snapshots; its state before is kept as a snapshot',
  role: 'admin',
  parameters: [
    INSTANCE,
    SNAPSHOT,
    {
      name: 'stateful',
      kind: 'switch',
      description: 'With the memory that the snapshot of a virtual machine holds; else it boots anew',
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
