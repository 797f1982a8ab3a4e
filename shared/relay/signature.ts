/**
 * What a signed request to the relay looks like: HTTP Message Signatures (RFC 9421) with
 * HMAC-SHA256, and the digest of its content (RFC 9530). The authority isn't covered, because a
 * request may reach the relay under any name: loopback, Workers VPC, a tunnel. So two relays must
 * not share a key, or what was sent to one could be replayed at the other.
 */
export const LABEL = 'stapes'

export const ALGORITHM = 'hmac-sha256'

/** `content-digest` is there for an empty body too, so that a body can't be added. */
export const COMPONENTS = ['@method', '@path', '@query', 'content-digest'] as const

export const PARAMETERS = ['created', 'nonce', 'keyid', 'alg'] as const

/** Of the shared secret, before base64. */
export const KEY_BYTES = 32

/** A request may be this old when it arrives, in seconds. */
export const MAX_AGE = 60

/** The two clocks may differ by this, in seconds, either way. */
export const CLOCK_SKEW = 30

/** Characters of a nonce; a signer takes 16 random bytes in hex. */
export const NONCE = /^[A-Za-z0-9_-]{16,64}$/

/** The value of `Content-Digest` for a sha-256 in base64. */
export const contentDigest = (base64: string): string => `sha-256=:${base64}:`
