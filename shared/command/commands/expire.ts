import { parseGrace } from '../../plan/grace.ts'
import { err, ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCES, NAMED, POLICY, scopeOf } from '../scope.ts'

export const expire: ChangeCommand = {
  kind: 'change',
  does: 'expire',
  name: 'expire',
  summary: 'Remove the snapshots that retention no longer keeps, or those that match a glob',
  role: 'admin',
  parameters: [
    INSTANCES,
    POLICY,
    NAMED,
    {
      name: 'grace',
      kind: 'duration',
      description: 'How long `undo` can take it back, of those that --snapshot names; 48h by default',
      required: false,
      flag: true,
    },
    {
      name: 'now',
      kind: 'switch',
      description: 'Remove those that --snapshot names at once',
      required: false,
      flag: true,
    },
  ],
  examples: ['expire web1', 'expire --policy=daily', "expire web1 --snapshot='hourly-202611*'"],
  /** With a glob over snapshots, policies or instances have to be named as well. */
  request(values, reason) {
    const scope = scopeOf(values)
    if (scope.instances === undefined && scope.policies === undefined)
      return err(
        "Say which: /backup expire web1 for one instance, /backup expire '*' for all, /backup expire --policy=daily for all that a policy covers.",
      )
    const { snapshot } = values
    const grace = values.now === 'yes' ? '0' : values.grace
    if (grace !== undefined && snapshot === undefined)
      return err('--grace and --now are for the snapshots that --snapshot names.')
    const seconds = grace === undefined ? ok(undefined) : parseGrace(grace)
    if (!seconds.ok) return seconds
    return ok({
      do: 'expire',
      reason,
      ...scope,
      ...(snapshot === undefined ? {} : { snapshots: [snapshot] }),
      ...(seconds.value === undefined ? {} : { grace: seconds.value }),
    })
  },
}
