/** The shape of `together` in `stapes.jsonc`. */
import * as z from 'zod/mini'
import { DEFAULTS } from './defaults.ts'
import * as field from './fields.ts'

const { may, object } = field

const EXPECTED = 'true, false, or an object, such as { "pause": "10s" }'

export const togetherSchema = z.union(
  [
    field.flag,
    object(
      {
        pause: may(
          field.duration,
          'How long an instance may stand still for it, 5 minutes at most. Where its snapshots take longer, it runs on and they do not count.',
          { default: DEFAULTS.together.pause, examples: ['10s'] },
        ),
        hook: may(
          field.hook,
          "Commands in the instance instead of standing still, before and after: a hook of the relay's configuration, by its name. `pause` is then how long the instance may be kept ready by it. Instances without volumes have it, too.",
          { examples: ['db'] },
        ),
        otherwise: may(
          z.enum(['fail', 'pause'], {
            error: '"fail" (no snapshot) or "pause" (one for which it stands still, crash-consistent)',
          }),
          'If the command before fails, takes too long, or the relay has no such hook for the instance. `fail`: no snapshot, and it is tried again. `pause`: it stands still instead, and the record says so.',
          { default: DEFAULTS.together.otherwise },
        ),
      },
      EXPECTED,
    ).check(
      z.refine(({ hook, otherwise }) => hook !== undefined || otherwise === undefined, {
        path: ['otherwise'],
        error: 'a "hook" beside it',
        params: { sentence: 'it says what is done where a hook fails: say "hook", too' },
      }),
    ),
  ],
  { error: EXPECTED },
)
