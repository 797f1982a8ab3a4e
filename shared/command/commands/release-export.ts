import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { ONE_EXPORT, oneExport } from '../scope.ts'

export const releaseExport: ChangeCommand = {
  kind: 'change',
  does: 'release-export',
  name: 'release-export',
  summary: 'Release a held export file: its policy decides again how long it stays',
  role: 'operator',
  seldom: true,
  parameters: ONE_EXPORT,
  examples: ['release-export web1 --from=nas --export=20261122T030000Z'],
  request: (values, reason) => ok({ do: 'release-export', reason, ...oneExport(values) }),
}
