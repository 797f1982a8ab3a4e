/** The action of thawing an instance. */
import type { InstanceRef } from '../../incus/subject.ts'

/** Our work froze it and was cut off, so Incus doesn't thaw it. */
export type ThawAction = { kind: 'thaw'; ref: InstanceRef; reason: string }
