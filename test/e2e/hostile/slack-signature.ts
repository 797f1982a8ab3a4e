/** Slack's signatures, and their time: whoever has not signed it, or not now, is not let in. */
import { createHmac } from 'node:crypto'
import { signatureOf } from '../../chat/slack-request.ts'
import { type Row, type Sent, turned } from './row.ts'
import { plain, type Scene } from './scene.ts'
import { userOf } from './world.ts'

const SIGNATURE = 'x-slack-signature'
const TIMESTAMP = 'x-slack-request-timestamp'

/** Without anybody who waits for the answer: a platform would never have sent it. */
export const honest = (scene: Scene): Sent & { body: string } => {
  const { headers, path, body } = scene.command('slack', 'now web1', 'admin')
  return { headers, path, body: String(body) }
}

const stampOf = (seconds = 0): string => String(Math.floor(Date.now() / 1000) + seconds)

/** Signed as Slack would: whatever is wrong is in the body. */
export const signed = (scene: Scene, body: string, stamp = stampOf(), secret = scene.signingSecret): Sent =>
  plain('/chat/slack', { headers: signatureOf(secret, stamp, body), body })

const macOf = (secret: string, text: string, hash = 'sha256'): string =>
  createHmac(hash, secret).update(text).digest('hex')

type Parts = { mac: string; stamp: string; body: string; secret: string }

/** The signature, made of the right one's parts. */
const signature =
  (make: (parts: Parts) => string): Row['request'] =>
  (scene) => {
    const { headers, body, ...rest } = honest(scene)
    const [stamp = '', right = ''] = [headers[TIMESTAMP], headers[SIGNATURE]]
    const made = make({ mac: right.slice(3), stamp, body, secret: scene.signingSecret })
    return { ...rest, body, headers: { ...headers, [SIGNATURE]: made } }
  }

export const slackSignatures = turned(401, {
  'no signature': (scene) => without(SIGNATURE, honest(scene)),
  'an empty signature': signature(() => ''),
  'a signature without digits': signature(() => 'v0='),
  'a signature a digit too short': signature(({ mac }) => `v0=${mac.slice(0, 63)}`),
  'a signature a digit too long': signature(({ mac }) => `v0=${mac}0`),
  'half a signature': signature(({ mac }) => `v0=${mac.slice(0, 32)}`),
  'a signature that is not hex': signature(({ mac }) => `v0=${mac.slice(0, 63)}g`),
  'an upper-case signature': signature(({ mac }) => `v0=${mac.toUpperCase().replace(/^\d+$/, 'A')}`),
  'an upper-case version': signature(({ mac }) => `V0=${mac}`),
  'a signature of version 1': signature(({ mac }) => `v1=${mac}`),
  'a signature without a version': signature(({ mac }) => mac),
  'a signature in base64': signature(({ mac }) => `v0=${Buffer.from(mac, 'hex').toString('base64')}`),
  'a signature with another digit': signature(({ mac }) => `v0=${flipped(mac)}`),
  'a signature with another last digit': signature(
    ({ mac }) => `v0=${mac.slice(0, 63)}${flipped(mac.slice(63))}`,
  ),
  'a signature read backwards': signature(({ mac }) => `v0=${[...mac].reverse().join('')}`),
  'nothing but zeros': signature(() => `v0=${'0'.repeat(64)}`),
  'a signature of another body': signature(
    ({ stamp, secret }) => `v0=${macOf(secret, `v0:${stamp}:text=help`)}`,
  ),
  'a signature of no body': signature(({ stamp, secret }) => `v0=${macOf(secret, `v0:${stamp}:`)}`),
  'a signature of another timestamp': signature(
    ({ body, secret }) => `v0=${macOf(secret, `v0:${stampOf(-7)}:${body}`)}`,
  ),
  'a signature of the body alone': signature(({ body, secret }) => `v0=${macOf(secret, body)}`),
  'a signature without the version in it': signature(
    ({ stamp, body, secret }) => `v0=${macOf(secret, `${stamp}:${body}`)}`,
  ),
  'a signature of version 1 inside': signature(
    ({ stamp, body, secret }) => `v0=${macOf(secret, `v1:${stamp}:${body}`)}`,
  ),
  'a signature with another secret': signature(
    ({ stamp, body }) => `v0=${macOf('8f742231b10e8888abcd99yyyzzz85a5', `v0:${stamp}:${body}`)}`,
  ),
  'a signature with an empty secret': signature(
    ({ stamp, body }) => `v0=${macOf('', `v0:${stamp}:${body}`)}`,
  ),
  'a signature with the secret in capitals': signature(
    ({ stamp, body, secret }) => `v0=${macOf(`${secret}A`.toUpperCase(), `v0:${stamp}:${body}`)}`,
  ),
  'a signature by SHA-1': signature(
    ({ stamp, body, secret }) => `v0=${macOf(secret, `v0:${stamp}:${body}`, 'sha1')}`,
  ),
  'a signature by SHA-512': signature(
    ({ stamp, body, secret }) => `v0=${macOf(secret, `v0:${stamp}:${body}`, 'sha512')}`,
  ),
  'the right signature twice': signature(({ mac }) => `v0=${mac}, v0=${mac}`),
  'the right signature after a wrong one': signature(({ mac }) => `v0=${'0'.repeat(64)}, v0=${mac}`),
  'the right signature, and a tail': signature(({ mac }) => `v0=${mac};v0=${mac}`),
  'the signature under another name': (scene) => {
    const request = honest(scene)
    return {
      ...without(SIGNATURE, request),
      headers: { ...without(SIGNATURE, request).headers, 'x-signature': request.headers[SIGNATURE] ?? '' },
    }
  },
  'the signature in the query': (scene) => {
    const request = honest(scene)
    return { ...without(SIGNATURE, request), path: `/chat/slack?${SIGNATURE}=${request.headers[SIGNATURE]}` }
  },
  'a body with one more field than was signed': (scene) => {
    const request = honest(scene)
    return { ...request, body: `${request.body}&more=1` }
  },
  'a body that was encoded anew': (scene) => {
    const request = honest(scene)
    return { ...request, body: request.body.replace('now+web1', 'now%20web1') }
  },
  'somebody else’s name in a signed body': (scene) => {
    const request = scene.command('slack', 'now web1', 'stranger')
    const body = String(request.body).replace(userOf('slack', 'stranger'), userOf('slack', 'admin'))
    return { path: request.path, headers: request.headers, body }
  },
  'the signature of a certificate check': (scene) => {
    const request = signed(scene, 'ssl_check=1&token=x')
    return { ...request, body: `${honest(scene).body}&ssl_check=0` }
  },
})

const flipped = (hex: string): string => `${hex[0] === '0' ? '1' : '0'}${hex.slice(1)}`

function without(name: string, { headers, ...rest }: Sent): Sent {
  const { [name]: _, ...kept } = headers
  return { ...rest, headers: kept }
}

/** Signed over that very timestamp. */
const stamped =
  (stamp: () => string): Row['request'] =>
  (scene) =>
    signed(scene, honest(scene).body, stamp())

export const slackTimestamps = turned(401, {
  'no timestamp': (scene) => without(TIMESTAMP, honest(scene)),
  'an empty timestamp': stamped(() => ''),
  'a timestamp in words': stamped(() => 'now'),
  'a date': stamped(() => new Date().toISOString()),
  'a negative timestamp': stamped(() => `-${stampOf()}`),
  'a timestamp with a plus': stamped(() => `+${stampOf()}`),
  'a decimal timestamp': stamped(() => `${stampOf()}.5`),
  'a timestamp with an exponent': stamped(() => `${Number(stampOf()) / 1e9}e9`),
  'a hexadecimal timestamp': stamped(() => `0x${Number(stampOf()).toString(16)}`),
  'a timestamp in milliseconds': stamped(() => String(Date.now())),
  'a timestamp of 301 seconds ago': stamped(() => stampOf(-301)),
  'a timestamp 302 seconds ahead': stamped(() => stampOf(302)),
  'a timestamp of yesterday': stamped(() => stampOf(-86_400)),
  'a timestamp of tomorrow': stamped(() => stampOf(86_400)),
  'the timestamp 0': stamped(() => '0'),
  'a timestamp of 400 digits': stamped(() => '9'.repeat(400)),
  'two timestamps': stamped(() => `${stampOf()}, ${stampOf()}`),
  'a timestamp with a space in it': stamped(() => stampOf().replace(/^./, '$& ')),
  'the timestamp NaN': stamped(() => 'NaN'),
  'the timestamp Infinity': stamped(() => 'Infinity'),
})
