import { readWishes } from '../../plan/wishes.ts'
import { err, ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCES, POLICY, scopeOf } from '../scope.ts'

export const now: ChangeCommand = {
  kind: 'change',
  does: 'snapshot',
  name: 'now',
  summary: 'Take a snapshot now, of instances or of all that a policy covers',
  role: 'operator',
  parameters: [
    INSTANCES,
    POLICY,
    { name: 'as', kind: 'name', description: 'Call it so: before-upgrade', required: false, flag: true },
    {
      name: 'reuse',
      kind: 'switch',
      description: 'What is called so already gets another name',
      required: false,
      flag: true,
    },
    {
      name: 'expiry',
      kind: 'name',
      description: 'When Incus removes it: 7d, or never',
      required: false,
      flag: true,
    },
    { name: 'stateful', kind: 'switch', description: 'With the memory', required: false, flag: true },
  ],
  examples: ["now web1 'db*'", 'now --policy=daily', "now '*'", 'now web1 --as=before-upgrade --expiry=7d'],
  request(values, reason) {
    const scope = scopeOf(values)
    if (scope.instances === undefined && scope.policies === undefined)
      return err(
        "Say which: /backup now web1 for one instance, /backup now '*' for all, /backup now --policy=daily for all that a policy covers.",
      )
    const { as, expiry, reuse, stateful } = values
    const wishes = readWishes({ as, expiry, reuse: reuse === 'yes', stateful: stateful === 'yes' })
    return wishes.ok ? ok({ do: 'snapshot', reason, ...scope, ...wishes.value }) : wishes
  },
}
