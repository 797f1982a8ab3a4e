/** `npm run trust -- <remote> <token>`: has the server trust the relay, and writes the remote into relay.jsonc. */
import { createInterface } from 'node:readline'
import { err, ok, type Result } from '../../shared/result.ts'
import { fail } from '../fail.ts'
import { type Arguments, USAGE } from './arguments.ts'
import { clientCertificate, sayNarrowed } from './client.ts'
import { redeem } from './redeem.ts'
import { noteRemote, type RelayFile, twinOf } from './relay-file.ts'
import { parseToken } from './token.ts'

type Wanted = Extract<Arguments, { do: 'add' }>

/** `twin`: another remote of the same server. `others`: so many more members of its cluster. `before`: it trusted the certificate already, so the token is unused. */
type Added = {
  url: string
  others: number
  before: boolean
  narrowed: boolean
  name: string
  twin: string | null
}

/** The token works only once, so everything is checked before. `address`: an origin, where it isn't one of the token's. */
export async function redeemInto(
  openFile: () => RelayFile,
  { remote, token: text, address, isTarget }: Omit<Wanted, 'do'>,
): Promise<Result<Added, string>> {
  const token = parseToken(text)
  if (!token.ok) return token
  const { fingerprint, addresses, name } = token.value
  const urls = (address === undefined ? addresses : [address]).flatMap((one) => originOf(one) ?? [])
  if (urls.length === 0) return err(`"${address ?? addresses.join(', ')}" is not an address`)
  const file = openFile()
  const redeemed = await redeem({ text, fingerprint }, urls, await clientCertificate(file))
  if (!redeemed.ok) return redeemed
  const { url, before, members } = redeemed.value
  const narrowed = noteRemote(file, remote, { urls: [url, ...members], fingerprint, isTarget })
  const twin = twinOf(file.document, remote, fingerprint)
  return ok({ url, others: members.length, before, narrowed, name, twin })
}

export async function addRemote(openFile: () => RelayFile, wanted: Wanted): Promise<void> {
  const { remote, address } = wanted
  if (address !== undefined && originOf(address) === null)
    return fail([`"${address}" is not an address`, ...USAGE], 2)
  const token = wanted.token === '-' ? await firstLine() : wanted.token
  const added = await redeemInto(openFile, { ...wanted, token })
  if (!added.ok) fail([added.error])
  const { url, others, before, narrowed, name, twin } = added.value
  const { path } = openFile()
  if (narrowed) sayNarrowed(path)
  if (twin !== null)
    console.error(`warning: "${twin}" is the same server: what is copied between them is lost with it`)
  const noted = `"${remote}" is in ${path}${others === 0 ? '' : `, with ${others} more of its cluster`}`
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

/** Of a host and port, with https:// before it or without; null: that is no address. */
function originOf(given: string): string | null {
  const origin = URL.parse(given.includes('://') ? given : `https://${given}`)?.origin
  return origin?.startsWith('https://') === true ? origin : null
}
