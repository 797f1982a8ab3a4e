/**
 * `npm run trust -- <remote> <token> [https://host:8443]`: makes the relay's client certificate if there
 * is none, has the server trust it, and writes the remote into relay.jsonc.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { applyEdits, modify } from 'jsonc-parser'
import { createCertificate } from '../test/lab/certificate.ts'
import { redeem } from './trust/redeem.ts'
import { parseToken } from './trust/token.ts'

const FILE = process.env.RELAY_CONFIG ?? 'relay.jsonc'
const CLIENT = { certificate: 'client.crt', key: 'client.key' }

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

async function clientCertificate(): Promise<{ certificate: string; key: string }> {
  if (existsSync(CLIENT.certificate) && existsSync(CLIENT.key))
    return { certificate: readFileSync(CLIENT.certificate, 'utf8'), key: readFileSync(CLIENT.key, 'utf8') }
  const { cert: certificate, key } = await createCertificate('stapes relay')
  writeFileSync(CLIENT.certificate, certificate)
  writeFileSync(CLIENT.key, key, { mode: 0o600 })
  return { certificate, key }
}

function note(remote: string, url: string, fingerprint: string): void {
  const isNew = !existsSync(FILE)
  const text = isNew ? '{}\n' : readFileSync(FILE, 'utf8')
  const secret = randomBytes(32).toString('base64')
  const entries: [string[], unknown][] = [
    ...(isNew
      ? ([
          [['keys'], { worker: secret }],
          [['client'], CLIENT],
        ] satisfies [string[], unknown][])
      : []),
    [['remotes', remote], { url, fingerprint }],
  ]
  const formattingOptions = { insertSpaces: true, tabSize: 2 }
  const edited = entries.reduce(
    (document, [path, value]) => applyEdits(document, modify(document, path, value, { formattingOptions })),
    text,
  )
  writeFileSync(FILE, edited, { mode: 0o600 })
}

const [remote, text, address] = process.argv.slice(2)
if (remote === undefined || text === undefined || !/^[a-z0-9][a-z0-9-]{0,39}$/.test(remote))
  fail(
    'usage: npm run trust -- <remote> <token> [https://host:8443]\nThe remote is named as in stapes.jsonc, in lower case.',
  )
const token = parseToken(text)
if (!token.ok) fail(token.error)
const { fingerprint, addresses } = token.value
const urls = address === undefined ? addresses.map((one) => `https://${one}`) : [address.replace(/\/$/, '')]
const redeemed = await redeem({ text, fingerprint }, urls, await clientCertificate())
if (!redeemed.ok) fail(redeemed.error)
note(remote, redeemed.value, fingerprint)
console.log(`${redeemed.value} trusts ${CLIENT.certificate} now; "${remote}" stands in ${FILE}`)
