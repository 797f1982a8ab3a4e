/** A part of an inventory: one subject, its copies and its source, so that what follows is quick on any server. */

import type { InstanceRecord } from '../incus/inventory.ts'
import { subjectKey } from '../incus/subject.ts'
import { REPLICA_OF } from '../policy/marks.ts'
import { usersIn } from '../policy/volumes.ts'
import type { InventoryReply } from '../relay/protocol.ts'

export function nearTo(key: string, reply: InventoryReply): InventoryReply {
  const names = new Set([key, ...sourcesOf(key, reply)].map((one) => one.split('/')[2] ?? ''))
  const isNear = (record: InstanceRecord): boolean =>
    names.has(record.name) || record.config[REPLICA_OF] === key
  const remotes = Object.entries(reply.remotes).map(([remote, answer]) => {
    if (!answer.ok) return [remote, answer] as const
    const { inventory } = answer
    // A volume may be covered by the instances that it is attached to.
    const users = usersIn(inventory.instances.filter(isNear))
    const instances = inventory.instances.filter(
      (record) => isNear(record) || users.has(`${record.project}/${record.name}`),
    )
    const buckets = inventory.buckets === undefined ? {} : { buckets: inventory.buckets.filter(isNear) }
    return [remote, { ok: true as const, inventory: { ...inventory, instances, ...buckets } }] as const
  })
  return { ...reply, remotes: Object.fromEntries(remotes) }
}

const sourcesOf = (key: string, { remotes }: InventoryReply): string[] =>
  Object.entries(remotes).flatMap(([remote, answer]) =>
    (answer.ok ? answer.inventory.instances : []).flatMap((record) => {
      const isIt = subjectKey({ remote, project: record.project, instance: record.name }) === key
      return isIt ? (record.config[REPLICA_OF] ?? []) : []
    }),
  )
