import { err, ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCES, NAMED, POLICY, scopeOf } from '../scope.ts'

export const expire: ChangeCommand = {
  kind: 'change',
  does: 'expire',
  name: 'expire',
  summary: 'Remove the snapshots that retention no longer keeps, or those that match a glob',
  role: 'admin',
  parameters: [INSTANCES, POLICY, NAMED],
  examples: ['expire web1', 'expire --policy=daily', "expire web1 --snapshot='hourly-202611*'"],
  /** With a glob over snapshots, policies or instances have to be named as well. */
  request(values, reason) {
    const scope = scopeOf(values)
    if (scope.instances === undefined && scope.policies === undefined)
      return err(
        "Say which: /backup expire web1 for one instance, /backup expire '*' for all, /backup expire --policy=daily for all that a policy covers.",
      )
    const { snapshot } = values
    return ok({
      do: 'expire',
      reason,
      ...scope,
      ...(snapshot === undefined ? {} : { snapshots: [snapshot] }),
    })
  },
}
