/**
 * `--renew`: another client certificate for the relay. relay.jsonc names it once every server trusts it. Broken
 * off anywhere, it goes on when it is run again.
 */

import type { ClientCertificate } from '../../relay/pinning.ts'
import { err, ok } from '../../shared/result.ts'
import { fail } from '../fail.ts'
import { fingerprintOf, readClient, sayNarrowed } from './client.ts'
import { makeNextCertificate, nextCertificate, nextPaths } from './next-client.ts'
import { editFile, type RelayFile } from './relay-file.ts'
import { atRemote } from './remote.ts'
import { isLimited } from './rights.ts'

type Both = { file: RelayFile; current: ClientCertificate; next: ClientCertificate }

/** `inPlace`: the servers replace the one by the other themselves, at the current one's request. */
export async function renewClient(file: RelayFile, inPlace: boolean): Promise<void> {
  const current = readClient(file) ?? fail([`there is no ${file.client.certificate} to renew`])
  const next = nextCertificate(file) ?? (await makeNextCertificate(file))
  const both = { file, current, next }
  const remotes = Object.keys(file.document.remotes ?? {})
  const open = await withoutNext(both, remotes)
  if (open.length > 0 && !inPlace) sayHowToAdd(both, open, await nameOf(both, open))
  for (const remote of open) await mayReplace(both, remote)
  for (const remote of open) await replaceAt(both, remote)
  const left = await withoutNext(both, remotes)
  if (left.length > 0) fail([`${left.join(', ')}: the new certificate is not trusted. Run this again`])
  switchTo(both, inPlace)
}

/** Where it isn't trusted yet, or a scriptlet that limits the current one leaves it unlimited. */
async function withoutNext(both: Both, remotes: readonly string[]): Promise<string[]> {
  const open: string[] = []
  for (const remote of remotes) {
    const next = await stateOf(both.file, remote, both.next)
    const current = next.isTrusted ? await stateOf(both.file, remote, both.current) : next
    if (!next.isTrusted || (current.isLimited && !next.isLimited)) open.push(remote)
  }
  return open
}

type State = { isTrusted: boolean; isLimited: boolean }

async function stateOf(file: RelayFile, remote: string, client: ClientCertificate): Promise<State> {
  const state = await atRemote<State>(file, remote, client, async (server) => {
    const { isTrusted } = server
    return ok({ isTrusted, isLimited: isTrusted && (await isLimited(server)) })
  })
  return state.ok
    ? state.value
    : fail([state.error, 'Nothing was changed: run this again when all servers answer.'])
}

/** What the server calls the current one; the new one is to be called the same, because newer scriptlets go by that. */
async function nameOf({ file, current }: Both, [remote = '']: readonly string[]): Promise<string> {
  const name = await atRemote(file, remote, current, async ({ ask }) => {
    const { metadata } = await ask('GET', `/1.0/certificates/${fingerprintOf(current.certificate)}`)
    return ok(String(Object(metadata).name))
  })
  return name.ok && /^[\w.-]{1,63}$/.test(name.value) ? name.value : '<its name>'
}

function sayHowToAdd({ file, next }: Both, open: readonly string[], name: string): never {
  const { certificate } = nextPaths(file)
  return fail([
    `The new certificate is ${certificate} (${fingerprintOf(next.certificate).slice(0, 12)}). It isn't ready yet on ${open.join(', ')}.`,
    'Copy that file (not its key) to each of these servers, and add it there for the same projects:',
    `  incus config trust add-certificate <file> --name ${name} --restricted --projects <projects>`,
    'Where a scriptlet is in force, print it again and set it: it names both certificates then.',
    ...open.map((remote) => `  npm run -s trust -- ${remote} --scriptlet …`),
    'Then run this again. Without a login on the servers: npm run trust -- --renew --in-place; each server then trusts',
    'only the new one at once, so restart the relay right after it. Until then nothing is done, and nothing is lost.',
  ])
}

/** Before any server is changed. */
async function mayReplace({ file, current }: Both, remote: string): Promise<void> {
  const { isTrusted, isLimited } = await stateOf(file, remote, current)
  if (!isTrusted) fail([`${remote} trusts neither the old certificate nor the new one. Nothing was changed.`])
  if (isLimited)
    fail([
      `${remote}: a scriptlet is in force, and would not know the new certificate. Run this without --in-place`,
      'Nothing was changed.',
    ])
}

/** Incus lets a client replace its own certificate, a restricted one too. */
async function replaceAt({ file, current, next }: Both, remote: string): Promise<void> {
  const replaced = await atRemote(file, remote, current, async ({ url, ask }) => {
    const path = `/1.0/certificates/${fingerprintOf(current.certificate)}`
    const { status, error } = await ask('PATCH', path, { certificate: next.certificate })
    return status === 200 ? ok(null) : err(`${url} didn't replace the certificate: ${status} ${error}`)
  })
  if (!replaced.ok) fail([replaced.error, 'Run this again.'])
}

function switchTo({ file, current, next }: Both, inPlace: boolean): void {
  if (editFile(file, [[['client'], nextPaths(file).names]])) sayNarrowed(file.path)
  const [old, made] = [current, next].map(({ certificate }) => fingerprintOf(certificate).slice(0, 12))
  console.log(
    `${file.path} names the new certificate (${made}), and every server trusts it. Restart the relay now.`,
  )
  if (!inPlace) console.log(`Then remove the old one on each server: incus config trust remove ${old}`)
  console.log(
    `and here: rm ${[file.client.certificate, file.client.key].filter((path) => !path.startsWith('-----BEGIN')).join(' ')}`,
  )
  console.log('Where a scriptlet is in force, print and set it once more without the old one.')
}
