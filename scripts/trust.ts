/**
 * `npm run trust -- <remote> <token> [https://host:8443]`: makes the relay's client certificate if there
 * is none, has the server trust it, and writes the remote into relay.jsonc.
 */
import { existsSync, readFileSync } from 'node:fs'
import { exposureOf } from '../relay/exposure.ts'
import type { ClientCertificate } from '../relay/pinning.ts'
import { fail } from './fail.ts'
import { readOptions } from './options.ts'
import { loadEnvironment } from './remote.ts'
import { createClientCertificate } from './trust/certificate.ts'
import { keepPrivate, writePrivate } from './trust/private-file.ts'
import { redeem } from './trust/redeem.ts'
import { noteRemote, type RelayFile, readRelayFile } from './trust/relay-file.ts'
import { parseToken } from './trust/token.ts'

const USAGE = `npm run trust -- <remote> <token> [https://host:8443]
The remote is named as in stapes.jsonc, in lower case.`

loadEnvironment()
const [remote, text, address] = readOptions([], 3, USAGE).words
if (remote === undefined || text === undefined || !/^[a-z0-9][a-z0-9-]{0,39}$/.test(remote))
  fail([`usage: ${USAGE}`], 2)
const token = parseToken(text)
if (!token.ok) fail([token.error])
const { fingerprint, addresses, name } = token.value
const urls = (address === undefined ? addresses : [address]).flatMap(originOf)
// The token works only once, so everything is checked before.
const file = readRelayFile(process.env.RELAY_CONFIG || 'relay.jsonc')
if (!file.ok) fail([file.error])
const redeemed = await redeem({ text, fingerprint }, urls, await clientCertificate(file.value))
if (!redeemed.ok) fail([redeemed.error])
const { url, before, members } = redeemed.value
if (noteRemote(file.value, remote, [url, ...members], fingerprint)) sayNarrowed(file.value.path)
const others = members.length === 0 ? '' : `, with ${members.length} more of its cluster`
const noted = `"${remote}" is in ${file.value.path}${others}`
if (before)
  fail([
    `The token was not redeemed: ${url} already trusted this certificate, for the projects that it was given then; ${noted}.`,
    `To change these, on the server: incus config trust list, incus config trust edit <fingerprint>`,
    `If the token is unused, it is still valid for another certificate. To revoke it: incus config trust revoke-token ${name}`,
  ])
console.log(`${url} trusts the relay's certificate now; ${noted}`)

/** A host and port, with https:// before it or without. */
function originOf(given: string): string[] {
  const origin = URL.parse(given.includes('://') ? given : `https://${given}`)?.origin
  return origin?.startsWith('https://') === true
    ? [origin]
    : fail([`"${given}" is not an address`, `usage: ${USAGE}`], 2)
}

async function clientCertificate({ client: { certificate, key } }: RelayFile): Promise<ClientCertificate> {
  if (certificate.startsWith('-----BEGIN') && key.startsWith('-----BEGIN')) return { certificate, key }
  const there = [certificate, key].filter((path) => existsSync(path))
  if (there.length === 2) {
    for (const path of there) if (keepPrivate(path)) sayNarrowed(path)
    return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
  }
  if (there.length === 1)
    return fail([
      `there is only ${there[0]} of ${certificate} and ${key}: restore the other, or remove this one`,
    ])
  const made = await createClientCertificate('stapes relay')
  writePrivate(certificate, made.certificate)
  writePrivate(key, made.key)
  return made
}

/** Or not narrowed, where it is another user's. */
function sayNarrowed(path: string): void {
  const still = exposureOf(path)
  console.error(
    still === null
      ? `other users of this machine could read ${path}: its mode is 600 now. If there are other users, replace the secrets in it`
      : still,
  )
}
