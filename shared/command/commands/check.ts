import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { EXPORT_OR_NEWEST, INSTANCE, storeBy } from '../scope.ts'

export const check: ChangeCommand = {
  kind: 'change',
  does: 'check',
  name: 'check',
  summary: 'Read an export file again, and compare it with what was stored',
  role: 'operator',
  parameters: [INSTANCE, storeBy('in'), EXPORT_OR_NEWEST],
  examples: ['check web1 --in=nas', 'check main/default/web1 --in=r2 --export=20261122T030000Z'],
  request: ({ instance = '', in: to = '', export: name }, reason) =>
    ok({ ...{ do: 'check', reason, instance, to }, ...(name === undefined ? {} : { export: name }) }),
}
