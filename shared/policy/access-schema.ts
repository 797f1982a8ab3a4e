/** The shape of `access` in `stapes.jsonc`: groups of ids, what is granted to whom, and what each key means. */
import * as z from 'zod/mini'
import { EXPECTED_ID, GROUP, ID_PATTERN, parseId } from '../access/principal.ts'
import { ok } from '../result.ts'
import * as field from './fields.ts'

const { described, list, may, object, parsed } = field

const id = described(parsed(EXPECTED_ID, parseId), 'As `/backup whoami` shows it.', { pattern: ID_PATTERN })

const principal = described(
  parsed(`${EXPECTED_ID}, or "${GROUP}<name>"`, (text) =>
    // Whether the group exists is checked later.
    text.startsWith(GROUP) ? ok(text) : parseId(text),
  ),
  'As `/backup whoami` shows it, or a group.',
  { pattern: `^${GROUP}.|${ID_PATTERN}` },
)

const groupName = z.string().check(
  z.regex(/^[A-Za-z][A-Za-z0-9._-]{0,39}$/, {
    error: 'a name of letters, digits, ".", "_" and "-", at most 40, a letter first',
  }),
)

const ROLES = {
  viewer: 'looks',
  operator: 'also takes snapshots, copies, holds and pauses',
  admin: 'also restores and expires',
}

const roleText = Object.entries(ROLES)
  .map(([role, does]) => `"${role}" (${does})`)
  .join(', ')

const grantSchema = object(
  {
    who: described(
      z
        .array(principal, { error: 'a list of ids or groups, such as ["group:ops"]' })
        .check(z.minLength(1, { error: 'a list of at least one id or group, such as ["group:ops"]' })),
      'Who gets the role: ids of people, of Discord roles, or `group:<name>` for all of a group.',
      { examples: [['group:ops'], ['slack:T024BE7LD/U024BE7LH']] },
    ),
    role: described(
      z.enum(['viewer', 'operator', 'admin'], { error: roleText }),
      `A role and those before it: ${roleText.replaceAll('"', '`')}.`,
    ),
    commands: may(
      list(
        z.string({ error: 'the name of a command, such as "status"' }),
        'a list of at least one command, such as ["status"]; leave it out for all of the role',
      ),
      'Only these of the commands that the role may use; without it, all of them.',
      { examples: [['status', 'history', 'now']] },
    ),
    instances: may(
      list(field.excludeGlob, 'a list of at least one glob, such as ["web*"]; leave it out for everything'),
      'Only these instances: globs over `instance`, `project/instance` or `remote/project/instance`. Without it everything, policies included.',
      { examples: [['web*', 'main/shop/*']] },
    ),
  },
  'an object, such as { "who": ["group:ops"], "role": "operator" }',
)

export const accessSchema = object(
  {
    groups: may(
      z.record(groupName, list(id, 'a list of at least one id, such as ["slack:T024BE7LD/U024BE7LH"]'), {
        error: 'an object of lists of ids by their names, such as { "ops": ["slack:T024BE7LD/U024BE7LH"] }',
      }),
      'Named groups of ids. `who` refers to one as `group:<name>`.',
    ),
    grants: described(
      z.array(grantSchema, {
        error: 'a list of grants, such as [{ "who": ["group:ops"], "role": "operator" }]',
      }),
      'Who may do what. Several grants to one person add up.',
    ),
  },
  'an object, such as { "grants": [{ "who": ["group:ops"], "role": "operator" }] }',
)

export type AccessSettings = z.output<typeof accessSchema>

/** The keys that are known at a path inside of `access`. */
export const accessKeysAt = (path: readonly PropertyKey[]): string[] =>
  Object.keys(path.length === 0 ? accessSchema.shape : grantSchema.shape)
