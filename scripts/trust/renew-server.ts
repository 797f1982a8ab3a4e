/** `--renew-server`: a server whose certificate was, or will be, renewed on purpose. */

import { X509Certificate } from 'node:crypto'
import { connect } from 'node:tls'
import { own } from '../../shared/own.ts'
import { fail } from '../fail.ts'
import { fingerprintOf, sayNarrowed } from './client.ts'
import { editFile, type RelayFile } from './relay-file.ts'
import { listOf, normalize } from './remote.ts'

/** In milliseconds. */
const TIMEOUT = 10_000

export async function renewServer(file: RelayFile, remote: string, accept: string | null): Promise<void> {
  const { remotes = {} } = file.document
  const known = own(remotes, remote)
  if (known === undefined) return fail([`there is no remote "${remote}" in ${file.path}`])
  const pins = listOf(known.fingerprint).map(normalize)
  const shown: string[] = []
  for (const url of listOf(known.url)) {
    const seen = await shownBy(url).catch((cause: Error) => cause)
    if (seen instanceof Error) fail([`${url}: ${seen.message}`])
    else if (!pins.includes(seen) && !shown.includes(seen)) shown.push(seen)
  }
  if (accept === null) return sayShown(remote, pins, shown)
  const fingerprint = normalize(accept)
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) fail([`"${accept}" is no fingerprint: 64 hex digits, in full`])
  if (pins.includes(fingerprint)) return console.log(`${file.path} has this fingerprint already`)
  // One that is noted beforehand is shown by no server yet.
  if (shown.length > 0 && !shown.includes(fingerprint))
    fail([`${remote} shows ${shown.join(', ')}, which is not the one that you name. Nothing was changed.`])
  if (
    editFile(file, [
      [
        ['remotes', remote, 'fingerprint'],
        [...pins, fingerprint],
      ],
    ])
  )
    sayNarrowed(file.path)
  console.log(
    `${file.path} has both fingerprints of ${remote} now: restart the relay. Its copies go on by themselves.`,
  )
  console.log('When the server shows only the new one, remove the old fingerprint there.')
}

function sayShown(remote: string, pins: readonly string[], shown: readonly string[]): void {
  if (shown.length === 0) {
    console.log(`${remote} shows a certificate that is pinned: ${pins.join(', ')}`)
    console.log(
      `To note the one that it will get: npm run trust -- ${remote} --renew-server --accept <its fingerprint>`,
    )
    return
  }
  fail([
    ...shown.map((fingerprint) => `${remote} shows ${fingerprint}, which is not pinned.`),
    'It may be the renewed one, or somebody else’s. Compare it on the server itself, not through this network:',
    '  incus info | grep certificate_fingerprint',
    ...shown.map(
      (fingerprint) => `If it is the same: npm run trust -- ${remote} --renew-server --accept ${fingerprint}`,
    ),
  ])
}

/** Nothing is sent to it but a greeting: it may be anybody. */
function shownBy(url: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(port || 443),
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
    })
    socket.setTimeout(TIMEOUT, () => socket.destroy(new Error('it gave no answer')))
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      const { raw } = socket.getPeerX509Certificate() ?? {}
      socket.end()
      if (raw === undefined) reject(new Error('it shows no certificate'))
      else resolve(fingerprintOf(new X509Certificate(raw).toString()))
    })
  })
}
