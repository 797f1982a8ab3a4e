import { err, ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCES, NAMED, POLICY, scopeOf } from '../scope.ts'

export const allow: ChangeCommand = {
  kind: 'change',
  does: 'allow',
  name: 'allow',
  summary: 'Do once what the brake holds back: an expiry or a refresh that removes too much',
  role: 'admin',
  parameters: [INSTANCES, POLICY, NAMED],
  examples: ['allow web1', 'allow --policy=daily', "allow web1 --snapshot='hourly-202611*'"],
  request(values, reason) {
    const scope = scopeOf(values)
    if (scope.instances === undefined && scope.policies === undefined)
      return err('Say which: /backup allow web1 for one instance, /backup allow --policy=daily for a policy.')
    const { snapshot } = values
    return ok({
      do: 'allow',
      reason,
      ...scope,
      ...(snapshot === undefined ? {} : { snapshots: [snapshot] }),
    })
  },
}
