/** What somebody may want of a snapshot on request, beside its instance. */
import { refuseName } from '../incus/snapshot-name.ts'
import { err, ok, type Result } from '../result.ts'
import { parseSpan } from './span.ts'

type Given = {
  as?: string | undefined
  reuse?: boolean | undefined
  expiry?: string | undefined
  stateful?: boolean | undefined
}

/** `reuse`: what is called so already gets another name. */
export type Wishes = {
  name?: string
  reuse?: true
  /** Of Incus's form, counted from now; null: never. */
  expiry?: string | null
  stateful?: true
}

export function readWishes({ as: name, reuse, expiry, stateful }: Given): Result<Wishes, string> {
  const why = name === undefined ? null : refuseName(name)
  if (why !== null) return err(`as: ${why}`)
  if (reuse === true && name === undefined) return err('"reuse" needs "as": the name that is used again')
  const span = expiry === undefined ? undefined : parseSpan(expiry)
  if (span?.ok === false) return span
  return ok({
    ...(name === undefined ? {} : { name }),
    ...(reuse === true ? { reuse } : {}),
    ...(span === undefined ? {} : { expiry: span.value }),
    ...(stateful === true ? { stateful } : {}),
  })
}
