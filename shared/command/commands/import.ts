import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { GIVEN, parseGiven } from '../given.ts'
import { EXPORT_OR_NEWEST, INSTANCE, PLACE, placeOf, storeBy } from '../scope.ts'

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
    storeBy('from'),
    { name: 'as', kind: 'name', description: 'Name of the new instance', required: true, flag: true },
    EXPORT_OR_NEWEST,
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
