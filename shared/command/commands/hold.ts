import { ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCE, oneOf, SNAPSHOT } from '../scope.ts'

export const hold: ChangeCommand = {
  kind: 'change',
  does: 'hold',
  name: 'hold',
  summary: 'Keep a snapshot until it is released, whatever retention says',
  role: 'operator',
  parameters: [
    INSTANCE,
    SNAPSHOT,
    { name: 'note', kind: 'text', description: 'Why it is held, in a few words', required: false },
  ],
  examples: ['hold web1 daily-20261122T0300Z', 'hold web1 daily-20261122T0300Z before the upgrade'],
  // An empty mark is none in Incus, so there is always a note.
  request: (values, reason) => ok({ do: 'hold', reason, ...oneOf(values), note: values.note ?? reason }),
}
