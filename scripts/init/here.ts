/** Relay and Worker in this process, for a first plan and a first tick: nothing listens beyond the loopback. */
import type { Env } from '../../functions/env.ts'
import { createApi } from '../../functions/http.ts'
import { readConfig } from '../../relay/environment.ts'
import { startRelay } from '../../relay/relay.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { createSession, type Session } from '../session.ts'
import { memoryKv } from './memory-kv.ts'

export type Here = { session: Session; close(): Promise<void> }

const ORIGIN = 'https://stapes.invalid'

/** `key`: with which the Worker will sign once it is deployed, so that it takes over what begins here. */
export async function openHere(
  relayFile: string,
  { id, secret }: { id: string; secret: string },
  token: string,
): Promise<Result<Here, string>> {
  const config = readConfig({ RELAY_CONFIG: relayFile, RELAY_HOST: '127.0.0.1', RELAY_PORT: '0' })
  if (!config.ok) return err(`${relayFile} can't be used:\n${config.error}`)
  // It takes over nothing, and tells nobody: that is the service's.
  const { journalFile: _, alarm: __, ...options } = config.value
  const relay = await startRelay({ ...options, log: (line) => console.error(`relay: ${line}`) })
  const env = {
    ...{ STATE: memoryKv(), RELAY: { fetch }, KV_SETTLED_MS: '0' },
    ...{ RELAY_URL: relay.url, RELAY_KEY_ID: id, RELAY_KEY: secret, STAPES_TOKEN: token },
  } as unknown as Env
  const app = createApi(() => new Date())
  const session = createSession(ORIGIN, token, async (input, init) =>
    app.fetch(new Request(input, init), env),
  )
  return ok({ session, close: () => relay.close() })
}
