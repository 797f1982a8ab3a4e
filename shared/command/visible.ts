/** Filters texts of the engine for an actor who may see only some instances. */
import { keysIn } from '../incus/subject.ts'
import type { Seen } from './seen.ts'

/** Whether all instance keys that a text names may be seen. */
export const maySpeak = (text: string, maySee: Seen['maySee']): boolean => keysIn(text).every(maySee)

export const HIDDEN = 'about instances that you may not see'
