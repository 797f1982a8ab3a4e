import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCES, POLICY, scopeOf } from '../scope.ts'

export const copy: ChangeCommand = {
  kind: 'change',
  does: 'copy',
  name: 'copy',
  summary: 'Start the copies that are not verified yet, even if they are not due',
  role: 'operator',
  parameters: [INSTANCES, POLICY],
  examples: ['copy', 'copy web1', 'copy --policy=daily'],
  request: (values, reason) => ok({ do: 'copy', reason, ...scopeOf(values) }),
}
