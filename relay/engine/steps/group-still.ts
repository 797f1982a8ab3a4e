/** What has to hold of a group while it is taken: for how long, and that nobody interferes. */
import { type InstanceRef, subjectKey } from '../../../shared/incus/subject.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { TakeGroupStep } from '../../../shared/relay/steps.ts'
import { readStatus } from '../pausing.ts'
import type { StepIo } from './step-io.ts'

export const RUNS = ['Running', 'Ready']

/** `pause` in seconds; null: nothing stands still, so nothing is late. */
export function lateAfter(
  pause: number | null,
  { snapshot, hook }: Pick<TakeGroupStep, 'snapshot' | 'hook'>,
  { clock }: Pick<StepIo, 'clock'>,
): { comes: Promise<CallError>; off(): void } {
  let off = (): void => {}
  const comes = new Promise<CallError>((resolve) => {
    if (pause === null) return
    const error: CallError = {
      code: 'running',
      message: `what runs of it ${hook === undefined ? 'stood still' : 'was kept ready by its hook'} for ${pause} s, the longest that its policy allows, and not all snapshots ${snapshot} were done: allow more ("together": { "pause": … }), or use a pool with cheap snapshots`,
    }
    off = clock.after(pause * 1000, () => resolve(error))
  })
  return { comes, off: () => off() }
}

export const STILL = ['Frozen']

/** Somebody let it run on, or stopped it meanwhile, so the snapshots aren't of one moment. */
export async function movedOf(
  running: readonly InstanceRef[],
  wanted: readonly string[],
  snapshot: string,
  io: StepIo,
): Promise<CallError | null> {
  for (const ref of running) {
    const seen = await readStatus(ref, io)
    if (!seen.ok) return seen.error
    if (!wanted.includes(seen.value?.status ?? ''))
      return {
        code: 'incus',
        message: `${subjectKey(ref)} did not ${wanted === STILL ? 'stand still' : 'run'} all the time: something else ${wanted === STILL ? 'let it run' : 'stopped it'}, so the snapshots ${snapshot} are not of one moment`,
      }
  }
  return null
}

/** `status`: Incus's word, before anything was asked for. */
export type Seen = { ref: InstanceRef; status: string }

/** What did not run at first has to stay so: Incus itself freezes an instance for another snapshot, and lets it run when that ends. */
export async function wokenOf(
  quiet: readonly Seen[],
  snapshot: string,
  io: StepIo,
): Promise<CallError | null> {
  for (const { ref, status } of quiet) {
    const seen = await readStatus(ref, io)
    if (!seen.ok) return seen.error
    const now = seen.value?.status ?? 'gone'
    if (now !== status)
      return {
        code: 'incus',
        message: `${subjectKey(ref)} was ${status} at first and is ${now} now, so the snapshots ${snapshot} are not of one moment`,
      }
  }
  return null
}
