import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE } from '../scope.ts'

export const takeOver: ChangeCommand = {
  kind: 'change',
  does: 'take-over',
  name: 'take-over',
  summary: "Have a policy do what Incus's own schedule of an instance does",
  role: 'operator',
  seldom: true,
  parameters: [INSTANCE],
  examples: ['take-over web1'],
  request: ({ instance = '' }, reason) => ok({ do: 'take-over', instance, reason }),
}
