/** Everything that runs in production, on one machine: two Incus servers, the relay, the Worker. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Relay, type RelayOptions, startRelay } from '../../relay/relay.ts'
import type { ContractInstance, ContractPair, ContractServer } from '../contract/server.ts'
import { type Key, type LiveWorker, newKey, type Surroundings, startWorker } from './worker.ts'

/** A pair, and how to tell whether a snapshot on the backup server is more than a name. */
export type Theatre = ContractPair & {
  /** The marker in what comes of restoring the snapshot as a new instance; null without data. */
  restore(it: ContractInstance, snapshot: string): Promise<string | null>
  /** Each backs up onto the other. */
  mutual?: true
  /** Where the relay may export to. */
  exports?: NonNullable<RelayOptions['exports']>
  /** Whether files of snapshots may be read. */
  files?: true
  /** Commands that the relay may run in instances. */
  hooks?: NonNullable<RelayOptions['hooks']>
  /** Of the relay; absent: it remembers nothing over a restart. */
  journalFile?: string
}

/** What every Worker of a stage can do. */
export type Served = Pick<LiveWorker, 'token' | 'fetch' | 'close'>

export type Stage<W extends Served = LiveWorker> = {
  pair: Theatre
  worker: W
  /** Keeps its address. */
  relay: { url: string; stop(): Promise<void>; start(): Promise<void> }
  /** Over the API; throws when it is refused. */
  apply(document: unknown): Promise<void>
  close(): Promise<void>
}

type Open<W> = (relayUrl: string, key: Key, surroundings: Surroundings) => Promise<W>

export const openStage = (
  openPair: () => Promise<Theatre>,
  surroundings: Surroundings = {},
  key: Key = newKey(),
): Promise<Stage> => stageWith(startWorker, openPair, surroundings, key)

/** With another Worker than the one in workerd. */
export async function stageWith<W extends Served>(
  open: Open<W>,
  openPair: () => Promise<Theatre>,
  surroundings: Surroundings = {},
  key: Key = newKey(),
): Promise<Stage<W>> {
  const pair = await openPair()
  let relay: Relay | null = await startRelay(optionsOf(pair, key, 0))
  const { url } = relay
  const worker = await open(url, key, surroundings)
  return {
    pair,
    worker,
    relay: {
      url,
      async stop() {
        await relay?.close()
        relay = null
      },
      async start() {
        relay = await startRelay(optionsOf(pair, key, Number(new URL(url).port)))
      },
    },
    async apply(document) {
      const response = await worker.fetch('/api/config', { method: 'PUT', body: JSON.stringify(document) })
      if (!response.ok) throw new Error(`the configuration was refused: ${await response.text()}`)
    },
    async close() {
      await worker.close()
      await relay?.close()
      await pair.close()
    },
  }
}

function optionsOf(
  { main, backup, mutual, exports, files, hooks, journalFile }: Theatre,
  key: Key,
  port: number,
): RelayOptions {
  const remote = ({ url, fingerprint, spare = [] }: ContractServer, role: 'source' | 'target') => ({
    ...{ url, fingerprint, address: url, spare, role: mutual === true ? ('both' as const) : role },
    ...(files === undefined ? {} : { files }),
  })
  const { cert, key: privateKey } = main.clients.trusted
  return {
    listen: { host: '127.0.0.1', port },
    keys: { [key.id]: key.secret },
    client: { certificate: cert, key: privateKey },
    remotes: { main: remote(main, 'source'), backup: remote(backup, 'target') },
    ...(exports === undefined ? {} : { exports }),
    ...(hooks === undefined ? {} : { hooks }),
    ...(journalFile === undefined ? {} : { journalFile }),
  }
}

/** Snapshots of one instance are told apart by their second. */
export const nextSecond = (): Promise<void> => sleep(1010 - (Date.now() % 1000))
