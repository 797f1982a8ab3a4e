/**
 * Whether the relay's address may be used. Requests are signed, but answers are not: whoever sits between could
 * forge an inventory, so plain http:// is only for what doesn't leave this machine, or for a private binding.
 */

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/

/** What is wrong and what to do, or null. `isPrivate`: a binding carries the requests, whatever the name. */
export function whyUnsafe(given: string, isPrivate: boolean): string | null {
  const url = URL.parse(given)
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    return 'nothing was sent to the relay: RELAY_URL is no address. Set it to https://…'
  if (url.username !== '' || url.password !== '')
    return 'nothing was sent to the relay: RELAY_URL names a user or a password. Remove what is before the @'
  // By the name alone: another name may lead to loopback today and elsewhere tomorrow.
  if (isPrivate || url.protocol === 'https:' || LOOPBACK.test(url.hostname)) return null
  return `nothing was sent to the relay: RELAY_URL is ${url.origin}, and answers over plain http:// can be forged on the way. Give the relay an https:// address, or a Workers VPC service (the RELAY binding in wrangler.toml); http:// is only for 127.0.0.1, [::1] and localhost`
}
