/** The shape of an `export` in `stapes.jsonc`. */
import { DEFAULTS, NEVER } from './defaults.ts'
import * as field from './fields.ts'
import { mayKeep } from './keep-schema.ts'

const { may, object } = field

export const exportSchema = object(
  {
    to: may(field.store, 'The store that the files go to, by its name under `exports` in relay.jsonc.', {
      examples: ['nas'],
    }),
    schedule: may(
      field.schedule,
      "When: as the policy's `schedule`, and in its `timezone`. The newest complete snapshot is exported.",
      { default: DEFAULTS.export.schedule, examples: ['@weekly', '0 4 * * 6'] },
    ),
    optimized: may(
      field.flag,
      "true: in the form of the pool's driver (btrfs, ZFS), which only such a pool can import.",
      { default: DEFAULTS.export.optimized },
    ),
    check: may(
      field.durationOrNever,
      `How often the newest export is read again, to its end, and compared with what was stored; \`${NEVER}\`: only on request.`,
      { default: DEFAULTS.export.check, examples: ['7d'] },
    ),
    keep: mayKeep(
      'How long the exports of this policy stay in the store; those on request stay until somebody removes them.',
      'An export',
    ),
  },
  'an object, such as { "to": "nas" }',
)
