/**
 * The mark of a restore in place. It is set before anything else is done, and the restore removes it, because
 * it replaces the instance's config by the snapshot's; one of the disk alone doesn't.
 *
 * With `taking`, nothing was changed yet, and the safety snapshot may be partial. Without it, that is
 * complete, and the instance's data may be partly old and partly new.
 *
 * The safety snapshot itself has the mark with `taking`. So an instance with only that mark was either
 * restored to its safety snapshot, or its restore never began.
 *
 * A custom volume keeps its config when it is restored, and so the mark. With `writing`, all that uses it is stopped, and its
 * data may be partly old and partly new; once `RESTORED` names the safety snapshot, what was stopped has only to be started. With
 * both, an earlier restore has left that data, and it is kept in a snapshot before the next one.
 */
export type Restoring = {
  snapshot: string
  /** The snapshot that is taken before. */
  safety: string
  /** Whether the instance has to run afterwards. */
  running: boolean
  /** With the memory that the snapshot holds. */
  stateful: boolean
  /** The disk alone: its settings stay, and so does this mark. */
  diskOnly?: true
  /** Whether the safety snapshot is complete. */
  taken: boolean
  /** Of a volume: its data may have been changed. */
  writing: boolean
  /** Of a volume: names of the instances of its project that use it and ran before. */
  users: readonly string[]
}

/**
 * Three words, one with memory or for the disk alone, one or two for the stage, and the users of a volume; names of snapshots and instances hold neither
 * spaces nor commas.
 */
export const renderRestoring = (mark: Restoring): string => {
  const { snapshot, safety, running, stateful, diskOnly, taken, writing, users } = mark
  return [
    ...[snapshot, safety, running ? 'running' : 'stopped'],
    ...(stateful ? ['stateful'] : []),
    ...(diskOnly ? ['disk'] : []),
    ...(taken ? [] : ['taking']),
    ...(writing ? ['writing'] : []),
    ...(users.length === 0 ? [] : [`of ${users.join(',')}`]),
  ].join(' ')
}

/** Null for a malformed mark. The relay's seal at its end is only checked by the relay. */
export function parseRestoring(text: string | undefined): Restoring | null {
  const [, snapshot = '', safety = '', status, how, taking, writing, users] =
    /^(\S+) (\S+) (running|stopped)( stateful| disk)?( taking)?( writing)?(?: of (\S+))?( ~\S+)?$/.exec(
      text ?? '',
    ) ?? []
  if (snapshot === '') return null
  return {
    ...{ snapshot, safety, running: status === 'running', stateful: how === ' stateful' },
    ...(how === ' disk' ? { diskOnly: true as const } : {}),
    ...{ taken: taking === undefined, writing: writing !== undefined, users: users?.split(',') ?? [] },
  }
}

/** The names in a mark of several. */
export const wordsOf = (text: string | undefined): string[] =>
  (text ?? '').split(' ').filter((word) => word !== '')
