import { err, ok } from '../../result.ts'
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
    {
      name: 'disk-only',
      kind: 'switch',
      description: 'The disk alone: its settings stay as they are (Incus from 6.0.6 and 6.22 on)',
      required: false,
      flag: true,
    },
  ],
  examples: ['restore web1 daily-20261122T0300Z', 'restore vm1 daily-20261122T0300Z --stateful'],
  request: (values, reason) => {
    const [stateful, diskOnly] = [values.stateful === 'yes', values['disk-only'] === 'yes']
    return stateful && diskOnly
      ? err('either --stateful or --disk-only: memory goes with the settings that it was saved with')
      : ok({
          ...{ do: 'restore', reason, ...oneOf(values) },
          ...(stateful ? { stateful } : {}),
          ...(diskOnly ? { diskOnly } : {}),
        })
  },
}
