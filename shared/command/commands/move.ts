import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE, PLACE, placeOf } from '../scope.ts'

export const move: ChangeCommand = {
  kind: 'change',
  does: 'move',
  name: 'move',
  summary: 'Move an instance or a volume to another server by its copy: checks it, and says what is left',
  role: 'admin',
  seldom: true,
  parameters: [INSTANCE, ...PLACE.filter(({ name }) => name !== 'start')],
  examples: ['move web1 --remote=main2', 'move main/default/web1 --project=archive'],
  request: (values, reason) => {
    const { remote, project, pool, from } = placeOf(values)
    return ok({ do: 'move', reason, instance: values.instance ?? '', remote, project, pool, from })
  },
}
