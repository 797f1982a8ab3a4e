/**
 * The mark of a restore in place, set before anything else is done for it and gone with it, since
 * restoring replaces the instance's config by the snapshot's.
 *
 * As long as it says `taking`, nothing was changed yet, and the safety snapshot may be partial. Then that
 * is whole, and the instance's data may be partly old and partly new.
 *
 * The safety snapshot itself holds the mark, as `taking`: where only that is known of a restore, it comes
 * from there, or from one that never began.
 */
export type Restoring = {
  snapshot: string
  /** The snapshot that is taken before. */
  safety: string
  /** Whether the instance has to run afterwards. */
  running: boolean
  /** With the memory that the snapshot holds. */
  stateful: boolean
  /** Whether the safety snapshot is whole. */
  taken: boolean
}

/** Three words, one with memory, and one as long as the safety snapshot may be partial; names of snapshots hold no spaces. */
export const renderRestoring = ({ snapshot, safety, running, stateful, taken }: Restoring): string =>
  [
    ...[snapshot, safety, running ? 'running' : 'stopped'],
    ...(stateful ? ['stateful'] : []),
    ...(taken ? [] : ['taking']),
  ].join(' ')

/** Null for what isn't of our form. */
export function parseRestoring(text: string | undefined): Restoring | null {
  const [, snapshot = '', safety = '', status, stateful, taking] =
    /^(\S+) (\S+) (running|stopped)( stateful)?( taking)?$/.exec(text ?? '') ?? []
  if (snapshot === '') return null
  const running = status === 'running'
  return { snapshot, safety, running, stateful: stateful !== undefined, taken: taking === undefined }
}
