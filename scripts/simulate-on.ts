/** A simulation that a script waits for. */
import type { Result } from '../shared/result.ts'
import type { DocumentFile } from './document.ts'
import type { Refusal, Session, Simulated } from './session.ts'

/** Whoever waits at a terminal is told for what. */
export function simulateOn(session: Session, file: DocumentFile | null): Promise<Result<Simulated, Refusal>> {
  if (process.stderr.isTTY) console.error('simulating a year, which may take a quarter of a minute …')
  return session.simulate(file)
}
