/** Who dials whom in a migration: the target the source, the source the target, or the relay both. */
export const TRANSFER_MODES = ['pull', 'push', 'relay'] as const
export type TransferMode = (typeof TRANSFER_MODES)[number]
