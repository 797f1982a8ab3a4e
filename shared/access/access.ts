/** Who may do what: grants of roles to immutable ids. Without a grant nothing is permitted. */
export type Role = 'viewer' | 'operator' | 'admin'

export type Grant = {
  /** Principals of an actor (see actor.ts), or `group:<name>`. */
  who: string[]
  role: Role
  /** Only these of the role's commands; null: all of them. */
  commands: string[] | null
  /** Globs over `instance`, `project/instance` or `remote/project/instance`; null: everything, policies included. */
  instances: string[] | null
}

export type Access = { groups: Record<string, string[]>; grants: Grant[] }
