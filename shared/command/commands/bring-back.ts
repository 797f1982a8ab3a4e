import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE, PLACE, placeOf } from '../scope.ts'

export const bringBack: ChangeCommand = {
  kind: 'change',
  does: 'bring-back',
  name: 'bring-back',
  summary: 'Bring a lost instance back from its copy, with all verified snapshots; its policies go on',
  role: 'admin',
  parameters: [INSTANCE, ...PLACE],
  examples: ['bring-back web1 --start', 'bring-back main/default/web1 --remote=main2'],
  request: (values, reason) =>
    ok({ do: 'bring-back', reason, instance: values.instance ?? '', ...placeOf(values) }),
}
