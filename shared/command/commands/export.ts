import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE, SNAPSHOT } from '../scope.ts'

export const exporting: ChangeCommand = {
  kind: 'change',
  does: 'export',
  name: 'export',
  summary: 'Write a snapshot of an instance or a custom volume as a file into a store of the relay',
  role: 'operator',
  parameters: [
    INSTANCE,
    { ...SNAPSHOT, description: 'One of its snapshots; absent: the newest complete one', required: false },
    {
      name: 'to',
      kind: 'text',
      description: 'The store, by its name in the relay’s configuration',
      required: true,
      flag: true,
    },
    {
      name: 'optimized',
      kind: 'switch',
      description: 'In the form of its pool’s driver (btrfs, ZFS), which only such a pool can take back',
      required: false,
      flag: true,
    },
  ],
  examples: ['export web1 --to=nas', 'export web1 daily-20261122T0300Z --to=r2'],
  request: ({ instance = '', snapshot, to = '', optimized }, reason) =>
    ok({
      ...{ do: 'export', reason, instance, to },
      ...(snapshot === undefined ? {} : { snapshot }),
      ...(optimized === 'yes' ? { optimized: true } : {}),
    }),
}
