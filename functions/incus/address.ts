/**
 * Whether the relay's address may be used. Requests are signed, but answers are not: whoever sits between could
 * forge an inventory, so plain http:// is only for what doesn't leave this machine, or for a private binding.
 */
import { flawOf, HERE } from '../address.ts'

/** What is wrong and what to do, or null. `isPrivate`: a binding carries the requests, whatever the name. */
export function whyUnsafe(given: string, isPrivate: boolean): string | null {
  const flaw = flawOf(given)
  if (flaw === 'no address')
    return 'nothing was sent to the relay: RELAY_URL is no address. Set it to https://…'
  if (flaw === 'user')
    return 'nothing was sent to the relay: RELAY_URL names a user or a password. Remove what is before the @'
  if (isPrivate || flaw === null) return null
  return `nothing was sent to the relay: RELAY_URL is ${new URL(given).origin}, and answers over plain http:// can be forged on the way. Give the relay an https:// address, or a Workers VPC service (the RELAY binding in wrangler.toml); http:// is only for ${HERE}`
}
