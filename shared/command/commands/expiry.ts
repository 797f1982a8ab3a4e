import { parseSpan } from '../../plan/span.ts'
import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE, oneOf, SNAPSHOT } from '../scope.ts'

export const expiry: ChangeCommand = {
  kind: 'change',
  does: 'expiry',
  name: 'expiry',
  summary: 'Have Incus remove a snapshot later than it would, or never',
  role: 'operator',
  seldom: true,
  parameters: [
    INSTANCE,
    SNAPSHOT,
    {
      name: 'in',
      kind: 'name',
      description: 'From now on: 30d, 3m (months), or never',
      required: true,
      flag: true,
    },
  ],
  examples: ['expiry web1 daily-20261122T0300Z --in=3m', 'expiry web1 daily-20261122T0300Z --in=never'],
  request(values, reason) {
    const span = parseSpan(values.in ?? '')
    return span.ok ? ok({ do: 'expiry', reason, ...oneOf(values), expiry: span.value }) : span
  },
}
