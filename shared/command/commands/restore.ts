import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE, oneOf, SNAPSHOT } from '../scope.ts'

export const restore: ChangeCommand = {
  kind: 'change',
  does: 'restore',
  name: 'restore',
  summary: 'Put an instance back to one of its snapshots; its state before is kept as a snapshot',
  role: 'admin',
  parameters: [INSTANCE, SNAPSHOT],
  examples: ['restore web1 daily-20261122T0300Z'],
  ask: (values, reason) => ok({ do: 'restore', reason, ...oneOf(values) }),
}
