import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE } from '../scope.ts'

export const cancel: ChangeCommand = {
  kind: 'change',
  does: 'cancel',
  name: 'cancel',
  summary: 'Cancel what runs of an instance: copies, exports, checks, and a new instance that is being made',
  role: 'operator',
  parameters: [INSTANCE],
  examples: ['cancel web1'],
  request: (values, reason) => ok({ do: 'cancel', reason, instance: values.instance ?? '' }),
}
