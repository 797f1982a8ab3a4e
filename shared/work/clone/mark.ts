/**
 * The mark on an instance that is being made from a snapshot, or from an export. It is there from the first moment, because it comes with
 * the instance's creation, and goes last. Until it says `made`, the data may be partial.
 */
export type Making = {
  /** What its data comes from: a snapshot, or an export, by its name. */
  snapshot: string
  /** It comes from an export. */
  imported: boolean
  /** Brought back, with all verified snapshots of its copy. */
  whole: boolean
  /** It is started once it is made. */
  start: boolean
  made: boolean
  /** Key of the copy that is brought back; null: none is, or an earlier version made it. */
  from: string | null
}

/** Four words, and the copy; names of snapshots that are taken for it hold no spaces. */
export const renderMaking = ({ snapshot, imported, whole, start, made, from }: Making): string =>
  [
    ...[snapshot, imported ? 'export' : whole ? 'all' : 'alone'],
    ...[start ? 'started' : 'stopped', made ? 'made' : 'making'],
    ...(whole && from !== null ? [`of ${from}`] : []),
  ].join(' ')

/** Null for a malformed mark. The relay's seal at its end is only checked by the relay. */
export function parseMaking(text: string | undefined): Making | null {
  const [, snapshot = '', extent, after, stage, from = null] =
    /^(\S+) (all|alone|export) (started|stopped) (made|making)(?: of (.+?))?( ~\S+)?$/.exec(text ?? '') ?? []
  if (snapshot === '') return null
  return {
    snapshot,
    ...{ imported: extent === 'export', whole: extent === 'all' },
    ...{ start: after === 'started', made: stage === 'made', from },
  }
}
