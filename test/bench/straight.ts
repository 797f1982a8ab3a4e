/** Undici straight at Incus, without a relay between: the least that any client needs. */
import { Pool } from 'undici'
import { createPinnedConnector } from '../../relay/pinning.ts'
import type { LabServer } from '../lab/server.ts'

/** What is snapshotted: containers, or custom volumes of the server's pool. */
export type Subjects = 'instances' | 'volumes'

export type Straight = {
  /** Takes one snapshot of each, so many at once; throws when one fails. */
  take(names: readonly string[], snapshot: string, atOnce: number): Promise<void>
  /** How many snapshots there are. */
  count(): Promise<number>
  /** Removes every snapshot that there is. */
  clear(): Promise<void>
  close(): Promise<void>
}

type Envelope = { error: string; metadata: unknown }
type Volume = { name: string; snapshots?: { name: string }[] | null }
type Operation = { id: string; status: string; err: string }

const MOST_AT_ONCE = 16

export function openStraight(
  { url, fingerprint, clients, pool }: LabServer,
  subjects: Subjects = 'instances',
): Straight {
  const isOfVolumes = subjects === 'volumes'
  const root = isOfVolumes ? `/1.0/storage-pools/${pool}/volumes/custom` : '/1.0/instances'

  const { cert, key } = clients.trusted
  const connect = createPinnedConnector({ certificate: cert, key }, [fingerprint])
  const connections = new Pool(url, { connect, connections: MOST_AT_ONCE, bodyTimeout: 0 })

  const call = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> => {
    const reply = await connections.request({
      method,
      path,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const { error, metadata } = (await reply.body.json()) as Envelope
    if (reply.statusCode >= 400) throw new Error(`${method} ${path}: ${reply.statusCode} ${error}`)
    return metadata
  }
  const perform = async (...wanted: Parameters<typeof call>): Promise<void> => {
    const { id } = (await call(...wanted)) as Operation
    const ended = (await call('GET', `/1.0/operations/${id}/wait`)) as Operation
    if (ended.status !== 'Success') throw new Error(`${wanted[1]}: ${ended.err}`)
  }
  const list = async (): Promise<{ name: string; snapshot: string }[]> => {
    // Later versions have the snapshots inside, older ones answer as to recursion=1.
    const listed = await call(
      'GET',
      `/1.0/storage-pools/${pool}/volumes/${isOfVolumes ? 'custom' : 'container'}?recursion=2`,
    )
    return (listed as Volume[]).flatMap(({ name, snapshots }) => {
      const [of = '', own] = name.split('/')
      const names = own === undefined ? (snapshots ?? []).map((inside) => inside.name) : [own]
      return names.map((snapshot) => ({ name: of, snapshot }))
    })
  }
  return {
    take: (names, snapshot, atOnce) =>
      eachOf(names, atOnce, (name) =>
        perform('POST', `${root}/${name}/snapshots`, {
          name: snapshot,
          ...(isOfVolumes ? {} : { stateful: false }),
        }),
      ),
    count: async () => (await list()).length,
    async clear() {
      await eachOf(await list(), 8, ({ name, snapshot }) =>
        perform('DELETE', `${root}/${name}/snapshots/${snapshot}`),
      )
    },
    close: () => connections.close(),
  }
}

/** So many at once, and the next as soon as one ends. */
export async function eachOf<T>(
  all: readonly T[],
  atOnce: number,
  work: (one: T) => Promise<void>,
): Promise<void> {
  const rest = [...all].reverse()
  const drain = async () => {
    for (let one = rest.pop(); one !== undefined; one = rest.pop()) await work(one)
  }
  await Promise.all(Array.from({ length: atOnce }, drain))
}
