/** Filters texts of the engine for an actor who may see only some instances. */
import type { Seen } from './seen.ts'

const KEYS = /[^\s/:>,;"]+\/[^\s/:>,;"]+\/[^\s/:>,;"]+/g

/** Whether all instance keys that a text names may be seen. */
export const maySpeak = (text: string, maySee: Seen['maySee']): boolean =>
  (text.match(KEYS) ?? []).every((key) => maySee(key))

export const HIDDEN = 'about instances that you may not see'
