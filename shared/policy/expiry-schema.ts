/** The shape of an `expiry` in `stapes.jsonc`. */
import { NEVER } from './defaults.ts'
import * as field from './fields.ts'

/** A key that holds one. */
export const mayExpire = (what: string) =>
  field.may(
    field.expiry,
    `${what} In Incus's form: S, M (minutes), H, d, w, m (months), y; or \`${NEVER}\`.`,
    {
      default: NEVER,
      examples: ['30d', '1w 3d'],
    },
  )
