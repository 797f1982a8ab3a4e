/** `npm run trust -- <remote> <token>`: has the server trust the relay, and writes the remote into relay.jsonc. */
import { createInterface } from 'node:readline'
import { fail } from '../fail.ts'
import { type Arguments, USAGE } from './arguments.ts'
import { clientCertificate, sayNarrowed } from './client.ts'
import { redeem } from './redeem.ts'
import { noteRemote, type RelayFile } from './relay-file.ts'
import { parseToken } from './token.ts'

type Wanted = Extract<Arguments, { do: 'add' }>

/** The token works only once, so everything is checked before. */
export async function addRemote(openFile: () => RelayFile, wanted: Wanted): Promise<void> {
  const { remote, address, isTarget } = wanted
  const given = wanted.token === '-' ? await firstLine() : wanted.token
  const token = parseToken(given)
  if (!token.ok) fail([token.error])
  const { fingerprint, addresses, name } = token.value
  const urls = (address === undefined ? addresses : [address]).flatMap(originOf)
  const file = openFile()
  const redeemed = await redeem({ text: given, fingerprint }, urls, await clientCertificate(file))
  if (!redeemed.ok) fail([redeemed.error])
  const { url, before, members } = redeemed.value
  if (noteRemote(file, remote, { urls: [url, ...members], fingerprint, isTarget })) sayNarrowed(file.path)
  const others = members.length === 0 ? '' : `, with ${members.length} more of its cluster`
  const noted = `"${remote}" is in ${file.path}${others}`
  if (before)
    fail([
      `The token was not redeemed: ${url} already trusted this certificate, for the projects that it was given then; ${noted}.`,
      `To change these, on the server: incus config trust list, incus config trust edit <fingerprint>`,
      `If the token is unused, it is still valid for another certificate. To revoke it: incus config trust revoke-token ${name}`,
    ])
  console.log(`${url} trusts the relay's certificate now; ${noted}`)
  console.log(
    `It may do everything in its projects. To let it do less: npm run -s trust -- ${remote} --scriptlet`,
  )
}

async function firstLine(): Promise<string> {
  if (process.stdin.isTTY) console.error('Paste the token:')
  for await (const line of createInterface({ input: process.stdin })) return line.trim()
  return ''
}

/** A host and port, with https:// before it or without. */
function originOf(given: string): string[] {
  const origin = URL.parse(given.includes('://') ? given : `https://${given}`)?.origin
  return origin?.startsWith('https://') === true
    ? [origin]
    : fail([`"${given}" is not an address`, ...USAGE], 2)
}
