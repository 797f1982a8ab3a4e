import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { ONE_EXPORT, oneExport } from '../scope.ts'

export const holdExport: ChangeCommand = {
  kind: 'change',
  does: 'hold-export',
  name: 'hold-export',
  summary: 'Keep an export file until it is released, whatever its policy says',
  role: 'operator',
  seldom: true,
  parameters: [
    ...ONE_EXPORT,
    { name: 'note', kind: 'text', description: 'Why it is held, in a few words', required: false },
  ],
  examples: ['hold-export web1 --from=nas --export=20261122T030000Z audit of the year'],
  request: (values, reason) =>
    ok({ do: 'hold-export', reason, ...oneExport(values), note: values.note ?? reason }),
}
