import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { GIVEN, parseGiven } from '../given.ts'
import { INSTANCE, PLACE, placeOf } from '../scope.ts'

/** In a command `from` is the store. */
const WHERE = PLACE.filter(({ name }) => name !== 'from')

export const importing: ChangeCommand = {
  kind: 'change',
  does: 'import',
  name: 'import',
  summary: 'Make a new instance or volume from an export file; chat takes none that is encrypted',
  role: 'admin',
  seldom: true,
  parameters: [
    { ...INSTANCE, description: 'Whose export it is; of one that is gone: main/default/web1' },
    {
      name: 'from',
      kind: 'text',
      description: 'The store, by its name in the relay’s configuration',
      required: true,
      flag: true,
    },
    { name: 'as', kind: 'name', description: 'Name of the new instance', required: true, flag: true },
    {
      name: 'export',
      kind: 'text',
      description: 'Its name, as "exports" lists it; absent: the newest one',
      required: false,
      flag: true,
    },
    ...WHERE,
    ...GIVEN,
  ],
  examples: [
    'import web1 --from=nas --as=web1-old',
    'import main/default/web1 --from=r2 --export=20261122T030000Z --as=web1 --start',
    'import web1 --from=nas --as=web1-old --profiles=default --config="limits.cpu=2 limits.memory=1GiB"',
  ],
  request: (values, reason) => {
    const { instance = '', from = '', as = '', export: name } = values
    const given = parseGiven(values)
    if (!given.ok) return given
    const more = given.value === undefined ? {} : { given: given.value }
    return ok({ ...placeOf(values), ...{ do: 'import', reason, instance, from, as, export: name, ...more } })
  },
}
