/** Discord's signatures, and their time: whoever has not signed it, or not now, is not let in. */
import { generateKeyPairSync, sign } from 'node:crypto'
import type { Interaction } from '../../chat/discord-request.ts'
import { type Row, type Sent, turned } from './row.ts'
import { plain, type Scene } from './scene.ts'
import { userOf } from './world.ts'

const SIGNATURE = 'x-signature-ed25519'
const TIMESTAMP = 'x-signature-timestamp'

export const command = (scene: Scene): Interaction =>
  scene.app.command(scene.person('admin'), 'now', { instances: 'web1' })

export const signed = (scene: Scene, body: Interaction | string, at: Date | string = new Date()): Sent =>
  plain('/chat/discord', scene.app.request(body, at))

const stampOf = (seconds = 0): string => String(Math.floor(Date.now() / 1000) + seconds)

type Parts = { right: string; stamp: string; body: string; scene: Scene }

const signature =
  (make: (parts: Parts) => string, of = command): Row['request'] =>
  (scene) => {
    const { headers, body, path } = signed(scene, of(scene))
    const [stamp = '', right = ''] = [headers[TIMESTAMP], headers[SIGNATURE]]
    const text = String(body)
    const made = make({ right, stamp, body: text, scene })
    return { path, body: text, headers: { ...headers, [SIGNATURE]: made } }
  }

/** The signature of something else. */
const signatureOf = (scene: Scene, text: string): string =>
  scene.app.request(text, '').headers.get(SIGNATURE) ?? ''

const other = generateKeyPairSync('ed25519').privateKey

/** The same point, and a scalar that is too large by the group's order: what lenient readers take. */
function malleated(hex: string): string {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const [point, scalar] = [hex.slice(0, 64), Buffer.from(hex.slice(64), 'hex').reverse().toString('hex')]
  const larger = (BigInt(`0x${scalar}`) + order).toString(16).padStart(64, '0')
  return point + Buffer.from(larger, 'hex').reverse().toString('hex')
}

const flipped = (hex: string): string => `${hex[0] === '0' ? '1' : '0'}${hex.slice(1)}`

const without =
  (name: string): Row['request'] =>
  (scene) => {
    const { headers, ...rest } = signed(scene, command(scene))
    const { [name]: _, ...kept } = headers
    return { ...rest, headers: kept }
  }

export const discordSignatures = turned(401, {
  'no signature': without(SIGNATURE),
  'an empty signature': signature(() => ''),
  'a signature of one digit': signature(() => '0'),
  'a signature of 64 digits': signature(({ right }) => right.slice(0, 64)),
  'a signature of 126 digits': signature(({ right }) => right.slice(0, 126)),
  'a signature of 127 digits': signature(({ right }) => right.slice(0, 127)),
  'a signature of 129 digits': signature(({ right }) => `${right}0`),
  'a signature of 256 digits': signature(({ right }) => right + right),
  'a signature of 10,000 digits': signature(() => '0'.repeat(10_000)),
  'nothing but zeros': signature(() => '0'.repeat(128)),
  'nothing but f': signature(() => 'f'.repeat(128)),
  'the neutral point': signature(() => `01${'0'.repeat(126)}`),
  'a signature that is not hex': signature(({ right }) => `${right.slice(0, 127)}g`),
  'a signature that begins with 0x': signature(({ right }) => `0x${right.slice(2)}`),
  'a signature with a space in it': signature(({ right }) => `${right.slice(0, 63)} ${right.slice(64)}`),
  'a signature in base64': signature(({ right }) => Buffer.from(right, 'hex').toString('base64')),
  'a signature with another digit': signature(({ right }) => flipped(right)),
  'a signature with another scalar': signature(({ right }) => right.slice(0, 64) + flipped(right.slice(64))),
  'a signature with too large a scalar': signature(({ right }) => malleated(right)),
  'a signature with its halves swapped': signature(({ right }) => right.slice(64) + right.slice(0, 64)),
  'the right signature twice': signature(({ right }) => `${right}, ${right}`),
  'a signature of another body': signature(({ scene, stamp }) => signatureOf(scene, `${stamp}{}`)),
  'a signature of another timestamp': signature(({ scene, body }) => signatureOf(scene, stampOf(-7) + body)),
  'a signature of the body alone': signature(({ scene, body }) => signatureOf(scene, body)),
  'a signature of the timestamp alone': signature(({ scene, stamp }) => signatureOf(scene, stamp)),
  'a signature of body and timestamp': signature(({ scene, stamp, body }) =>
    signatureOf(scene, body + stamp),
  ),
  'a signature with another key': signature(({ stamp, body }) =>
    sign(null, Buffer.from(stamp + body), other).toString('hex'),
  ),
  'a ping with a signature of zeros': signature(
    () => '0'.repeat(128),
    (scene) => scene.app.ping(),
  ),
  'a ping with a wrong signature': signature(
    ({ right }) => flipped(right),
    (scene) => scene.app.ping(),
  ),
  'a ping with another key': signature(
    ({ stamp, body }) => sign(null, Buffer.from(stamp + body), other).toString('hex'),
    (scene) => scene.app.ping(),
  ),
  'a signed body with a space behind it': (scene) => {
    const request = signed(scene, command(scene))
    return { ...request, body: `${request.body} ` }
  },
  'another user in a signed body': (scene) => {
    const stranger = scene.person('stranger')
    const request = signed(scene, scene.app.command(stranger, 'now', { instances: 'web1' }))
    return { ...request, body: String(request.body).replace(stranger.user, userOf('discord', 'admin')) }
  },
  'a digit moved from the timestamp into the body': (scene) => {
    const request = signed(scene, command(scene))
    const stamp = request.headers[TIMESTAMP] ?? ''
    const headers = { ...request.headers, [TIMESTAMP]: stamp.slice(0, -1) }
    return { ...request, headers, body: stamp.slice(-1) + String(request.body) }
  },
  'an interaction of another application': (scene) =>
    signed(scene, { ...command(scene), application_id: '4000000000000000002' }),
  'a ping of another application': (scene) =>
    signed(scene, { ...scene.app.ping(), application_id: '4000000000000000002' }),
})

const stamped =
  (stamp: () => string): Row['request'] =>
  (scene) =>
    signed(scene, command(scene), stamp())

export const discordTimestamps = turned(401, {
  'no timestamp': without(TIMESTAMP),
  'an empty timestamp': stamped(() => ''),
  'a timestamp in words': stamped(() => 'now'),
  'a negative timestamp': stamped(() => `-${stampOf()}`),
  'a decimal timestamp': stamped(() => `${stampOf()}.5`),
  'a timestamp in milliseconds': stamped(() => String(Date.now())),
  'a timestamp of 301 seconds ago': stamped(() => stampOf(-301)),
  'a timestamp 302 seconds ahead': stamped(() => stampOf(302)),
  'a timestamp of yesterday': stamped(() => stampOf(-86_400)),
  'the timestamp 0': stamped(() => '0'),
})
