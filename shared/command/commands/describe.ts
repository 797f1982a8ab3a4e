import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE, oneOf, SNAPSHOT } from '../scope.ts'

export const describe: ChangeCommand = {
  kind: 'change',
  does: 'describe',
  name: 'describe',
  summary: 'Give a snapshot of a custom volume a description',
  role: 'operator',
  seldom: true,
  parameters: [
    INSTANCE,
    SNAPSHOT,
    {
      name: 'text',
      kind: 'text',
      description: 'In a few words; none: it has none any more',
      required: false,
    },
  ],
  examples: ['describe default:db-1 daily-20261122T0300Z before the upgrade'],
  request: ({ text = '', ...values }, reason) => ok({ do: 'describe', reason, ...oneOf(values), text }),
}
