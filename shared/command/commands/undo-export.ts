import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { ONE_EXPORT, oneExport } from '../scope.ts'

export const undoExport: ChangeCommand = {
  kind: 'change',
  does: 'undo-export',
  name: 'undo-export',
  summary: 'Take back the removal of an export file, as long as it is there',
  role: 'operator',
  seldom: true,
  parameters: ONE_EXPORT,
  examples: ['undo-export web1 --from=nas --export=20261122T030000Z'],
  request: (values, reason) => ok({ do: 'undo-export', reason, ...oneExport(values) }),
}
