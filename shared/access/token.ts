/**
 * What a button carries: which plan it confirms or cancels, until when, and a code by which it is known as
 * ours. Five parts, `c.<id>.<expiry>.<digest>.<mac>`, together short enough for any platform's buttons
 * (Discord's take 100 characters). Nothing in it is secret, and nothing of it can be changed or made up.
 */
export type Verb = 'confirm' | 'cancel'

export type Confirmation = {
  verb: Verb
  /** Of what waits for it: 1 to 40 letters, digits, `_` and `-`. */
  id: string
  until: Date
  /** Of the plan, as digestOf() makes it. */
  digest: string
}

type Token = Omit<Confirmation, 'until'> & {
  /** Whole seconds since the epoch: from then on it holds no more. */
  expiry: number
  /** All that the code covers, besides the place. */
  signed: string
  /** Base64url of 128 bits. */
  mac: string
}

/** Bytes of a code: half of an HMAC-SHA256. */
export const MAC_BYTES = 16

const LETTERS: Record<Verb, string> = { confirm: 'c', cancel: 'x' }

// Base64url has several spellings of the same bytes, which differ in the last character's spare bits: one of them is ours.
const PATTERN =
  /^(?<signed>(?<letter>[cx])\.(?<id>[A-Za-z0-9_-]{1,40})\.(?<expiry>[1-9a-z][0-9a-z]{0,7})\.(?<digest>[A-Za-z0-9_-]{11}))\.(?<mac>[A-Za-z0-9_-]{21}[AQgw])$/

/** The token but for its code. Throws when a part is not of its form. */
export function renderUnsigned({ verb, id, until, digest }: Confirmation): string {
  const expiry = Math.floor(until.getTime() / 1000).toString(36)
  const signed = [LETTERS[verb], id, expiry, digest].join('.')
  if (parseToken(renderToken(signed, 'A'.repeat(22))) === null)
    throw new Error(`no token can be made of ${signed}`)
  return signed
}

export const renderToken = (signed: string, mac: string): string => `${signed}.${mac}`

/** Null for what isn't of our form; whether it is ours, only the code tells. */
export function parseToken(text: string): Token | null {
  const { signed, letter, id, expiry, digest, mac } = PATTERN.exec(text)?.groups ?? {}
  if (signed === undefined || id === undefined || expiry === undefined) return null
  if (digest === undefined || mac === undefined) return null
  const verb = letter === LETTERS.confirm ? 'confirm' : 'cancel'
  return { verb, id, expiry: Number.parseInt(expiry, 36), digest, signed, mac }
}

/**
 * What the code is made over. The label keeps it apart from everything else that the same secret could
 * ever sign, and the token, which has no line breaks, comes last, so that no place can run into it.
 */
export const messageOf = (signed: string, place: string): string =>
  `stapes confirmation v1\n${place}\n${signed}`
