/** Self-signed EC P-256 certificates, usable at once: a client's as `incus remote add` makes them, a server's as the daemon does. */

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { ClientCertificate } from '../contract/server.ts'

const TEN_YEARS = 10 * 365 * 24 * 3600 * 1000

/** A DER element: tag, length, contents (X.690). */
function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const size: number[] = []
  for (let rest = body.length; rest > 0; rest >>= 8) size.unshift(rest & 0xff)
  const length = body.length < 0x80 ? [body.length] : [0x80 | size.length, ...size]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts)
const objectId = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const bits = (value: Uint8Array) => der(0x03, Buffer.from([0]), value)
const time = (at: number) =>
  der(0x17, Buffer.from(`${new Date(at).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`))

const ECDSA_WITH_SHA256 = sequence(objectId('2a8648ce3d040302'))
const extension = (id: string, value: Uint8Array) => sequence(objectId(id), der(0x04, value))
const CLIENT_ONLY = extension('551d25', sequence(objectId('2b06010505070302')))
const SERVER_ONLY = extension('551d25', sequence(objectId('2b06010505070301')))
/** Alternative names: the host's, 127.0.0.1 and ::1, and no other address. */
const onThisMachine = (name: string) => {
  const loopback = [Buffer.from([127, 0, 0, 1]), Buffer.from([...new Array(15).fill(0), 1])]
  return extension('551d11', sequence(der(0x82, Buffer.from(name)), ...loopback.map((ip) => der(0x87, ip))))
}

/** The name lands in the common name, which Incus shows to people only; a server's is a host name. */
export function createCertificate(name: string, use: 'client' | 'server' = 'client'): ClientCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = sequence(der(0x31, sequence(objectId('550403'), der(0x0c, Buffer.from(name)))))
  // The first byte keeps the serial number positive and without a leading zero.
  const serial = Buffer.concat([Buffer.from([0x40]), randomBytes(15)])
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ECDSA_WITH_SHA256,
    subject,
    sequence(time(Date.now() - 3_600_000), time(Date.now() + TEN_YEARS)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, use === 'client' ? sequence(CLIENT_ONLY) : sequence(SERVER_ONLY, onThisMachine(name))),
  )
  const whole = sequence(content, ECDSA_WITH_SHA256, bits(sign('sha256', content, privateKey)))
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? []
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
