/**
 * The mark of a restore in place. It is set before anything else is done, and the restore removes it, because
 * it replaces the instance's config by the snapshot's.
 *
 * With `taking`, nothing was changed yet, and the safety snapshot may be partial. Without it, that is
 * complete, and the instance's data may be partly old and partly new.
 *
 * The safety snapshot itself has the mark with `taking`. So an instance with only that mark was either
 * restored to its safety snapshot, or its restore never began.
 */
export type Restoring = {
  snapshot: string
  /** The snapshot that is taken before. */
  safety: string
  /** Whether the instance has to run afterwards. */
  running: boolean
  /** With the memory that the snapshot holds. */
  stateful: boolean
  /** Whether the safety snapshot is complete. */
  taken: boolean
}

/**
 * Three words, one with memory, and one as long as the safety snapshot may be partial; names of snapshots
 * hold no spaces.
 */
export const renderRestoring = ({ snapshot, safety, running, stateful, taken }: Restoring): string =>
  [
    ...[snapshot, safety, running ? 'running' : 'stopped'],
    ...(stateful ? ['stateful'] : []),
    ...(taken ? [] : ['taking']),
  ].join(' ')

/** Null for a malformed mark. The relay's seal at its end is only checked by the relay. */
export function parseRestoring(text: string | undefined): Restoring | null {
  const [, snapshot = '', safety = '', status, stateful, taking] =
    /^(\S+) (\S+) (running|stopped)( stateful)?( taking)?( ~\S+)?$/.exec(text ?? '') ?? []
  if (snapshot === '') return null
  const running = status === 'running'
  return { snapshot, safety, running, stateful: stateful !== undefined, taken: taking === undefined }
}

/** The names in a mark of several. */
export const wordsOf = (text: string | undefined): string[] =>
  (text ?? '').split(' ').filter((word) => word !== '')
