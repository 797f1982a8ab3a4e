import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE, oneOf, SNAPSHOT } from '../scope.ts'

export const release: ChangeCommand = {
  kind: 'change',
  does: 'release',
  name: 'release',
  summary: 'Release a held snapshot: retention decides again how long it stays',
  role: 'operator',
  parameters: [INSTANCE, SNAPSHOT],
  examples: ['release web1 daily-20261122T0300Z'],
  request: (values, reason) => ok({ do: 'release', reason, ...oneOf(values) }),
}
