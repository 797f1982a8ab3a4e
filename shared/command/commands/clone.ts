import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE, oneOf, PLACE, placeOf, SNAPSHOT } from '../scope.ts'

export const clone: ChangeCommand = {
  kind: 'change',
  does: 'clone',
  name: 'clone',
  summary: 'Restore a snapshot, here or from the backup server, as a new instance beside the original',
  role: 'admin',
  parameters: [
    INSTANCE,
    SNAPSHOT,
    {
      name: 'as',
      kind: 'name',
      description: 'Name of the new instance',
      required: true,
      flag: true,
    },
    ...PLACE,
  ],
  examples: [
    'clone web1 daily-20261122T0300Z --as=web1-old',
    'clone web1 daily-20261122T0300Z --as=web1-old --from=backup --start',
    'clone default:db-1 daily-20261122T0300Z --as=db-1-old',
  ],
  request: (values, reason) =>
    ok({ do: 'clone', reason, ...oneOf(values), as: values.as ?? '', ...placeOf(values) }),
}
