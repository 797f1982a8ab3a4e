/** Completions for an option that somebody is typing: from Incus, cached for a minute. */

import { reachOf } from '../../shared/access/permit.ts'
import { commands } from '../../shared/command/commands.ts'
import { complete, type Names } from '../../shared/command/complete.ts'
import type { InstanceRecord } from '../../shared/incus/inventory.ts'
import { compareAge } from '../../shared/incus/snapshot-name.ts'
import { subjectKey } from '../../shared/incus/subject.ts'
import type { World } from '../../shared/plan/world.ts'
import { look } from '../run.ts'
import { configFor, permissionFor } from './authorized.ts'
import type { Chat } from './chat.ts'
import type { Incoming } from './platform.ts'

type Typing = Extract<Incoming, { kind: 'complete' }>

const MINUTE = 60_000
/** The platform waits three seconds; an empty list is better than none. */
const TIMEOUT = 1500

let remembered: { at: number; version: string; world: World } | null = null

export async function choices(
  { actor, command: name, option, typed, options }: Typing,
  chat: Chat,
): Promise<{ name: string; value: string }[]> {
  const stored = await configFor({ actor }, chat)
  const command = commands.find((one) => one.name === name)
  if (stored === null || command === undefined) return []
  const permission = permissionFor(command, stored, { actor })
  if (!permission.allowed) return []
  const world = await recentWorld(stored.version, chat)
  const reaches = reachOf(permission)
  const seen = Object.entries(world?.remotes ?? {}).flatMap(([remote, reply]) =>
    (reply.ok ? reply.inventory.instances : [])
      .map((record) => ({
        key: subjectKey({ remote, project: record.project, instance: record.name }),
        record,
      }))
      .filter(({ key }) => reaches(key)),
  )
  const names: Names = {
    instances: seen.map(({ key }) => key),
    snapshots: Object.fromEntries(seen.map(({ key, record }) => [key, newestFirst(record)])),
    policies: stored.config.policies.map((policy) => policy.name),
  }
  return complete(name, option, typed, options, names, commands)
}

const newestFirst = ({ snapshots }: InstanceRecord): string[] =>
  [...(snapshots ?? [])].sort((a, b) => compareAge(b, a)).map(([name]) => name)

async function recentWorld(version: string, { io, now }: Chat): Promise<World | null> {
  const at = now().getTime()
  if (remembered?.version === version && at - remembered.at < MINUTE) return remembered.world
  const late = new Promise<null>((resolve) => setTimeout(resolve, TIMEOUT, null))
  const seen = await Promise.race([look(io, now()), late])
  if (seen === null) return remembered?.version === version ? remembered.world : null
  remembered = { at, version, world: seen.world }
  return seen.world
}
