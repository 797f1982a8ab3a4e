import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE } from '../scope.ts'

export const check: ChangeCommand = {
  kind: 'change',
  does: 'check',
  name: 'check',
  summary: 'Read an export file again, and compare it with what was stored',
  role: 'operator',
  parameters: [
    INSTANCE,
    {
      name: 'in',
      kind: 'text',
      description: 'The store, by its name in the relay’s configuration',
      required: true,
      flag: true,
    },
    {
      name: 'export',
      kind: 'text',
      description: 'Its name, as "exports" lists it; absent: the newest one',
      required: false,
      flag: true,
    },
  ],
  examples: ['check web1 --in=nas', 'check main/default/web1 --in=r2 --export=20261122T030000Z'],
  request: ({ instance = '', in: to = '', export: name }, reason) =>
    ok({ ...{ do: 'check', reason, instance, to }, ...(name === undefined ? {} : { export: name }) }),
}
