/** All that the relay tells the doctor: what its engine sees on servers, and what only the process knows. */
import { statfs } from 'node:fs/promises'
import type { ExamReply, ExamRequest, RemoteExam, SpaceExam, StoreExam } from '../shared/relay/exam.ts'
import { safeText } from '../shared/safe-text.ts'
import { VERSION } from '../shared/version.ts'
import type { Engine } from './engine/engine.ts'
import type { StoreConfig } from './export/stores-schema.ts'
import type { Unfinished } from './export/unfinished.ts'
import type { CertificateEnds } from './metrics/certificates.ts'
import type { SpaceHistory } from './space-history.ts'

type Known = {
  engine: Pick<Engine, 'examine' | 'space'>
  certificates: Pick<CertificateEnds, 'ends'>
  stores: Readonly<Record<string, StoreConfig>>
  unfinished(): readonly Unfinished[]
  history: SpaceHistory
  now(): number
}

export type Examine = (request: ExamRequest) => Promise<ExamReply>

export const createExamine =
  (known: Known): Examine =>
  async (request) => {
    const { engine, certificates, now } = known
    const [exam, stores] = await Promise.all([engine.examine(request), examineStores(known)])
    const ends = certificates.ends()
    const shown = Object.keys(request.remotes).map(
      (remote) => [remote, ends.remotes.get(remote) ?? null] as const,
    )
    return {
      ...exam,
      remotes: Object.fromEntries(
        Object.entries(exam.remotes).map(([remote, one]) => [remote, withSamples(remote, one, known)]),
      ),
      stores,
      version: VERSION,
      certificates: { client: ends.client, remotes: Object.fromEntries(shown) },
      // Last, so that it is as late as the answer.
      at: now(),
    }
  }

/** Notes how full all is that is known, if that is long since. */
export async function noteSpace(known: Known): Promise<void> {
  for (const { remote, pool, used } of await known.engine.space())
    known.history.note(poolKey(remote, pool), used, known.now())
  await examineStores(known)
}

const poolKey = (remote: string, pool: string): string => `pool ${remote}/${pool}`

function withSamples(remote: string, exam: RemoteExam, { history, now }: Known): RemoteExam {
  if (!exam.ok) return exam
  const pools = Object.entries(exam.pools).map(([pool, space]): [string, SpaceExam | null] => {
    if (space === null) return [pool, null]
    history.note(poolKey(remote, pool), space.used, now())
    return [pool, { ...space, samples: history.of(poolKey(remote, pool)) }]
  })
  return { ...exam, pools: Object.fromEntries(pools) }
}

async function examineStores({
  stores,
  unfinished,
  history,
  now,
}: Known): Promise<Record<string, StoreExam>> {
  const seen = await Promise.all(
    Object.entries(stores).map(async ([name, config]): Promise<[string, StoreExam]> => {
      const files = unfinished().flatMap(({ store, file }) => (store === name ? [safeText(file, 200)] : []))
      const found = config.type === 'directory' ? await spaceIn(config.path) : { space: null }
      if (found.space === null) return [name, { type: config.type, unfinished: files, ...found }]
      history.note(`store ${name}`, found.space.used, now())
      const space = { ...found.space, samples: history.of(`store ${name}`) }
      return [name, { type: config.type, unfinished: files, space }]
    }),
  )
  return Object.fromEntries(seen)
}

/** Of the file system that it is in. */
async function spaceIn(
  path: string,
): Promise<{ space: { used: number; total: number } } | { space: null; problem: string }> {
  try {
    const { bsize, blocks, bavail } = await statfs(path)
    return { space: { used: (blocks - bavail) * bsize, total: blocks * bsize } }
  } catch (cause) {
    return { space: null, problem: safeText(String(cause), 200) }
  }
}
