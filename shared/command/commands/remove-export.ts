import { GRACE, parseGrace } from '../../plan/grace.ts'
import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { ONE_EXPORT, oneExport } from '../scope.ts'

export const removeExport: ChangeCommand = {
  kind: 'change',
  does: 'remove-export',
  name: 'remove-export',
  summary: 'Remove an export file, after a time in which undo-export can take that back',
  role: 'admin',
  seldom: true,
  parameters: [
    ...ONE_EXPORT,
    {
      name: 'grace',
      kind: 'duration',
      description: 'How long `undo-export` can take it back; 48h by default',
      required: false,
      flag: true,
    },
    {
      name: 'now',
      kind: 'switch',
      description: 'Without that time',
      required: false,
      flag: true,
    },
    {
      name: 'last',
      kind: 'switch',
      description: 'Also the newest whole export, where the relay’s configuration allows that',
      required: false,
      flag: true,
    },
  ],
  examples: ['remove-export web1 --from=nas --export=20261122T030000Z'],
  request(values, reason) {
    const given = values.now === 'yes' ? '0' : values.grace
    const grace = given === undefined ? ok(GRACE) : parseGrace(given)
    if (!grace.ok) return grace
    return ok({
      ...{ do: 'remove-export', reason, ...oneExport(values), grace: grace.value },
      ...(values.last === 'yes' ? { last: true as const } : {}),
    })
  },
}
