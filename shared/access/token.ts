/**
 * The token of a button: which plan it confirms or cancels, until when, and a MAC. Five parts,
 * `c.<id>.<expiry>.<digest>.<mac>`, together short enough for any platform's buttons (Discord's take 100
 * characters). Nothing in it is secret, and it can't be forged.
 */
export type Verb = 'confirm' | 'cancel'

export type Confirmation = {
  verb: Verb
  /** Id of the pending plan: 1 to 40 letters, digits, `_` and `-`. */
  id: string
  until: Date
  /** Of the plan, as digestOf() makes it. */
  digest: string
}

type Token = Omit<Confirmation, 'until'> & {
  /** Whole seconds since the epoch: from then on it is expired. */
  expiry: number
  /** All that the MAC covers, except for the place. */
  signed: string
  /** Base64url of 128 bits. */
  mac: string
}

/** Bytes of a MAC: half of an HMAC-SHA256. */
export const MAC_BYTES = 16

const LETTERS: Record<Verb, string> = { confirm: 'c', cancel: 'x' }

// Base64url can spell the same bytes in several ways, which differ in the last character's spare bits. Only one is valid.
const PATTERN =
  /^(?<signed>(?<letter>[cx])\.(?<id>[A-Za-z0-9_-]{1,40})\.(?<expiry>[1-9a-z][0-9a-z]{0,7})\.(?<digest>[A-Za-z0-9_-]{11}))\.(?<mac>[A-Za-z0-9_-]{21}[AQgw])$/

/** The token without its MAC. Throws when a part is malformed. */
export function renderUnsigned({ verb, id, until, digest }: Confirmation): string {
  const expiry = Math.floor(until.getTime() / 1000).toString(36)
  const signed = [LETTERS[verb], id, expiry, digest].join('.')
  if (parseToken(renderToken(signed, 'A'.repeat(22))) === null)
    throw new Error(`no token can be made of ${signed}`)
  return signed
}

export const renderToken = (signed: string, mac: string): string => `${signed}.${mac}`

/** Null for a malformed token. Whether it is authentic is decided by its MAC. */
export function parseToken(text: string): Token | null {
  const { signed, letter, id, expiry, digest, mac } = PATTERN.exec(text)?.groups ?? {}
  if (signed === undefined || id === undefined || expiry === undefined) return null
  if (digest === undefined || mac === undefined) return null
  const verb = letter === LETTERS.confirm ? 'confirm' : 'cancel'
  return { verb, id, expiry: Number.parseInt(expiry, 36), digest, signed, mac }
}

/**
 * The message of the MAC. The label separates it from everything else that the same secret may sign. The
 * token has no line breaks and comes last, so a place can't imitate it.
 */
export const messageOf = (signed: string, place: string): string =>
  `stapes confirmation v1\n${place}\n${signed}`
