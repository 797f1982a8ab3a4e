/** Whether something has files that its server gives, as far as that can be seen: a container has, and a custom volume on newer servers. */
import { givesVolumeFiles } from '../incus/features.ts'
import type { InstanceRecord } from '../incus/inventory.ts'
import { type InstanceRef, nounOf } from '../incus/subject.ts'
import { own } from '../own.ts'
import type { Refusal } from './plan.ts'
import type { World } from './world.ts'

/** `of`: key of whose snapshot it is, of which `ref` may be a copy. Null: nothing is known against it. */
export function refuseFiles(
  { ref, record, of }: { ref: InstanceRef; record: InstanceRecord; of: string },
  snapshot: string,
  { remotes }: World,
): Refusal | null {
  const anew = `/backup clone ${of} ${snapshot} --as=<name>`
  if (record.type === 'virtual-machine')
    return {
      code: 'forbidden',
      reason: `${of} is a virtual machine, whose files only its own agent gives: ${anew} --start makes one of the snapshot, and incus file pull reads it`,
    }
  const reply = own(remotes, ref.remote)
  const version = reply?.ok === true ? reply.inventory.server.version : ''
  return nounOf(ref) === 'instance' || givesVolumeFiles(version)
    ? null
    : {
        code: 'forbidden',
        reason: `Incus ${version} on ${ref.remote} gives no files of custom volumes (6.0.5, 6.13 and later do): ${anew} makes a volume of the snapshot, which you attach to an instance of yours`,
      }
}
