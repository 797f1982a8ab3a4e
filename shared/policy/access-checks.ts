/** Checks over all grants: unknown groups, unknown commands, and commands that the grant's role doesn't have. */
import type { Access, Grant } from '../access/access.ts'
import { includesRole } from '../access/permit.ts'
import { GROUP } from '../access/principal.ts'
import type { Command } from '../command/command.ts'
import { type PolicyError, problem, show } from './issues.ts'
import { nearest } from './nearest.ts'

type KnownCommand = Pick<Command, 'name' | 'role'>

export const checkAccess = ({ groups, grants }: Access, commands: readonly KnownCommand[]): PolicyError[] =>
  grants.flatMap((grant, index) => [
    ...checkGroups(grant, index, Object.keys(groups)),
    ...checkCommands(grant, index, commands),
  ])

const checkGroups = ({ who }: Grant, index: number, groups: readonly string[]): PolicyError[] =>
  who.flatMap((principal, at) => {
    if (!principal.startsWith(GROUP)) return []
    const name = principal.slice(GROUP.length)
    if (groups.includes(name)) return []
    const path = ['access', 'grants', index, 'who', at]
    return [problem(path, 'a group of "access.groups"', show(principal), meantGroup(name, groups))]
  })

function meantGroup(name: string, groups: readonly string[]): string {
  const meant = nearest(name, groups)
  if (meant !== null) return `did you mean "${GROUP}${meant}"?`
  return groups.length === 0 ? 'there are none' : `known are ${groups.join(', ')}`
}

const checkCommands = (
  { commands, role }: Grant,
  index: number,
  known: readonly KnownCommand[],
): PolicyError[] =>
  (commands ?? []).flatMap((name, at) => {
    const path = ['access', 'grants', index, 'commands', at]
    const command = known.find((one) => one.name === name)
    if (command === undefined)
      return [problem(path, 'the name of a command', show(name), meantCommand(name, known))]
    if (includesRole(role, command.role)) return []
    return [problem(path, `a command that the role ${role} may use`, show(name), `it needs ${command.role}`)]
  })

function meantCommand(name: string, known: readonly KnownCommand[]): string {
  const names = known.map((command) => command.name)
  const meant = nearest(name, names)
  return meant === null ? `known are ${names.join(', ')}` : `did you mean "${meant}"?`
}
