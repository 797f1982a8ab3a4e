/** What the engine knows of relay mode: a migration's two ends, whose websockets the relay joins. */
import type { CallError } from '../../shared/relay/protocol.ts'
import type { Result } from '../../shared/result.ts'

/** An operation that waits for its websockets, each by its own secret; the secrets leave the relay for that server alone. */
export type End = { remote: string; operation: string; secrets: Readonly<Record<string, string>> }

/**
 * Joins each websocket of one end with the one of the same name of the other. Resolves when all have ended: what came of
 * the migration only its operations tell. An error: they could not be opened, or the relay has cut them. Never rejects.
 * `onData`: so many bytes more went from the source to the target.
 */
export type Bridge = (
  ends: { source: End; target: End },
  options: { onData(bytes: number): void; signal: AbortSignal },
) => Promise<Result<null, CallError>>
