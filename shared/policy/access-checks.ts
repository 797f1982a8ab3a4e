/** What no single grant tells: groups that aren't there. */
import type { Access, Grant } from '../access/access.ts'
import { GROUP } from '../access/principal.ts'
import { type PolicyError, problem, show } from './issues.ts'
import { nearest } from './nearest.ts'

export const checkAccess = ({ groups, grants }: Access): PolicyError[] =>
  grants.flatMap((grant, index) => checkGroups(grant, index, Object.keys(groups)))

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
