/**
 * The mark of a restore in place: set before it, and gone with it, since restoring replaces the
 * instance's config by the snapshot's. As long as it stands, the data may be half the one and half the other.
 */
export type Restoring = {
  snapshot: string
  /** The snapshot that was taken before. */
  safety: string
  /** Whether the instance has to run afterwards. */
  running: boolean
}

/** Three words; names of snapshots hold no spaces. */
export const renderRestoring = ({ snapshot, safety, running }: Restoring): string =>
  `${snapshot} ${safety} ${running ? 'running' : 'stopped'}`

/** Null for what isn't of our form. */
export function parseRestoring(text: string | undefined): Restoring | null {
  const [snapshot = '', safety = '', status = '', ...rest] = (text ?? '').split(' ')
  const whole = snapshot !== '' && safety !== '' && rest.length === 0
  return whole && (status === 'running' || status === 'stopped')
    ? { snapshot, safety, running: status === 'running' }
    : null
}
