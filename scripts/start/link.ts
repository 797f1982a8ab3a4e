/**
 * The relay the Worker talks to: one that runs already, one for the remotes of `.env`, or one for the
 * embedded pair.
 */
import { randomBytes } from 'node:crypto'
import { type Environment, exposuresOf, readConfig } from '../../relay/environment.ts'
import { type RelayOptions, startRelay } from '../../relay/relay.ts'
import type { Cleanup } from './cleanup.ts'

export type Link = {
  url: string
  keyId: string
  /** Base64. */
  key: string
  /** Whether the servers are the embedded pair, whose state isn't kept. */
  embedded: boolean
  /** Its remotes, one line each. */
  remotes: string[]
}

const LOOPBACK = { host: '127.0.0.1', port: 0 }
const KEY_ID = 'start'

export async function openLink(environment: Environment, cleanup: Cleanup): Promise<Link> {
  if (isSet(environment, 'RELAY_URL')) return runningRelay(environment)
  return isEmbedded(environment) ? embeddedPair(cleanup) : ownRelay(environment, cleanup)
}

export const isEmbedded = (environment: Environment): boolean =>
  !['RELAY_URL', 'RELAY_CONFIG', 'RELAY_REMOTES'].some((name) => isSet(environment, name))

const isSet = (environment: Environment, name: string): boolean => (environment[name] ?? '') !== ''

function runningRelay(environment: Environment): Link {
  const { RELAY_URL: url = '', RELAY_KEY_ID: keyId = '', RELAY_KEY: key = '' } = environment
  if (keyId === '' || key === '')
    throw new Error(
      'RELAY_URL names a running relay: set RELAY_KEY_ID and RELAY_KEY as that relay knows them',
    )
  return { url, keyId, key, embedded: false, remotes: [`those of the relay on ${url}`] }
}

async function ownRelay(environment: Environment, cleanup: Cleanup): Promise<Link> {
  const key = randomBytes(32)
  const keys = JSON.stringify({ [KEY_ID]: key.toString('base64') })
  const config = readConfig({ ...environment, RELAY_KEYS: keys, RELAY_HOST: LOOPBACK.host, RELAY_PORT: '0' })
  if (!config.ok) throw new Error(`the relay's configuration can't be used:\n${config.error}`)
  for (const exposed of exposuresOf(environment)) console.error(`warning: ${exposed}`)
  const remotes = Object.entries(config.value.remotes).map(([name, { url }]) => `${name} ${url}`)
  return { ...(await open(config.value, key, cleanup)), embedded: false, remotes }
}

/** The tests' emulator of Incus: only loaded here, not for real servers. */
async function embeddedPair(cleanup: Cleanup): Promise<Link> {
  const { startEmbedded } = await import('../../test/emulator/start.ts')
  const embedded = await startEmbedded()
  cleanup.add(() => embedded.close())
  const { main, backup, client } = embedded
  const key = randomBytes(32)
  const remote = ({ url, fingerprint }: typeof main, role: 'source' | 'target') => ({
    ...{ url, fingerprint, address: url, role, files: true },
  })
  const options = {
    listen: LOOPBACK,
    keys: { [KEY_ID]: key },
    client: { certificate: client.cert, key: client.key },
    remotes: { main: remote(main, 'source'), backup: remote(backup, 'target') },
  }
  const remotes = [`main ${main.url}`, `backup ${backup.url}`]
  return { ...(await open(options, key, cleanup)), embedded: true, remotes }
}

async function open(options: RelayOptions, key: Buffer, cleanup: Cleanup) {
  const relay = await startRelay({ ...options, log: (line) => console.error(`relay: ${line}`) })
  cleanup.add(() => relay.close())
  return { url: relay.url, keyId: KEY_ID, key: key.toString('base64') }
}
