/** Whether an actor may use a command, and on which instances. Without a grant nothing is permitted. */

import type { Actor } from '../chat/actor.ts'
import { parseSubject, pathOf } from '../incus/subject.ts'
import { own } from '../own.ts'
import { compilePaths } from '../policy/glob.ts'
import type { Access, Grant, Role } from './access.ts'
import { GROUP } from './principal.ts'

/** `instances`: globs, see Grant; null: everything. `reason`: for the actor, without a full stop. */
export type Permission =
  | { allowed: true; instances: readonly string[] | null }
  | { allowed: false; reason: string }

type Known = Pick<Actor, 'id' | 'principals'>

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 }

/** Every role may do what those below it may. */
export const includesRole = (has: Role, needs: Role): boolean => RANK[has] >= RANK[needs]

/** Several grants add up: each gives its commands on its instances. */
export function permit(
  access: Access | undefined,
  actor: Known,
  command: { name: string; role: Role },
): Permission {
  const grants = grantsOf(access, actor)
  const giving = grants.filter((grant) => gives(grant, command))
  if (giving.length === 0) return { allowed: false, reason: refusal(grants, actor, command) }
  return { allowed: true, instances: united(giving.map(({ instances }) => instances)) }
}

/** The grants that name the actor: by id, by a platform's role, or by a group that holds one of them. */
export const grantsOf = (access: Access | undefined, { principals }: Pick<Actor, 'principals'>): Grant[] =>
  access?.grants.filter(({ who }) => who.some((name) => names(access, name, principals))) ?? []

function names({ groups }: Access, name: string, principals: readonly string[]): boolean {
  if (!name.startsWith(GROUP)) return principals.includes(name)
  const group = name.slice(GROUP.length)
  const members = own(groups, group) ?? []
  return members.some((member) => principals.includes(member))
}

const gives = ({ role, commands }: Grant, command: { name: string; role: Role }): boolean =>
  includesRole(role, command.role) && (commands === null || commands.includes(command.name))

function united(lists: readonly (readonly string[] | null)[]): string[] | null {
  return lists.includes(null) ? null : [...new Set(lists.flatMap((globs) => globs ?? []))]
}

/** Why nothing at all is permitted, or null. */
export const refuseStranger = (access: Access | undefined, actor: Known): string | null =>
  grantsOf(access, actor).length === 0 ? unknown(actor) : null

const unknown = ({ id }: Known): string => `no grant in stapes.jsonc names you (your id is ${id})`

function refusal(
  grants: readonly Grant[],
  actor: Known,
  { name, role }: { name: string; role: Role },
): string {
  const [highest] = ranked(grants)
  if (highest === undefined) return unknown(actor)
  if (!includesRole(highest, role)) return `${name} needs the role ${role}, and yours is ${highest}`
  const narrowed = grants.flatMap((grant) => (includesRole(grant.role, role) ? (grant.commands ?? []) : []))
  return `your grant as ${highest} is for ${[...new Set(narrowed)].join(', ')} only, and ${name} is not among them`
}

const ranked = (grants: readonly Grant[]): Role[] =>
  [...new Set(grants.map(({ role }) => role))].sort((one, other) => RANK[other] - RANK[one])

/** What an actor may do, one line for each grant; for `whoami`. */
export function describeAccess(access: Access | undefined, actor: Known): string[] {
  const grants = grantsOf(access, actor)
  if (grants.length === 0) return [unknown(actor)]
  return grants.map(({ who, role, commands, instances }) => {
    const by = who.filter((name) => access !== undefined && names(access, name, actor.principals))
    const what = commands === null ? `all commands of the role ${role}` : commands.join(', ')
    return `${role}: ${what} on ${instances === null ? 'everything' : instances.join(', ')} (granted to ${by.join(', ')})`
  })
}

/** Whether the permission reaches a subject, by its key. What isn't a whole key is never reached, though `*` would match it. */
export function reachOf(permission: Permission): (key: string) => boolean {
  if (!permission.allowed) return () => false
  if (permission.instances === null) return () => true
  const fits = compilePaths(permission.instances)
  return (key) => parseSubject(key) !== null && fits(pathOf(key))
}

/** The keys among these that the permission doesn't reach. */
export function deniedKeys(permission: Permission, keys: readonly string[]): string[] {
  const isReached = reachOf(permission)
  return keys.filter((key) => !isReached(key))
}
