import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE, oneOf, SNAPSHOT } from '../scope.ts'

export const undo: ChangeCommand = {
  kind: 'change',
  does: 'undo',
  name: 'undo',
  summary: 'Take back the removal of a snapshot, as long as Incus has not executed it',
  role: 'operator',
  parameters: [INSTANCE, SNAPSHOT],
  examples: ['undo web1 daily-20261122T0300Z'],
  request: (values, reason) => ok({ do: 'undo', reason, ...oneOf(values) }),
}
