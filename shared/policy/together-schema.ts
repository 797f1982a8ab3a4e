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
      },
      EXPECTED,
    ),
  ],
  { error: EXPECTED },
)
