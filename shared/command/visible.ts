/** What the engine wrote for everybody, read by somebody who may see some instances only. */
import type { Seen } from './seen.ts'

const KEYS = /[^\s/:>,;"]+\/[^\s/:>,;"]+\/[^\s/:>,;"]+/g

/** Whether all instance keys that a text names may be seen. */
export const maySpeak = (text: string, maySee: Seen['maySee']): boolean =>
  (text.match(KEYS) ?? []).every((key) => maySee(key))

export const HIDDEN = 'of instances that you may not see'
