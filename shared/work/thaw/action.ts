/** An instance is thawed. */
import type { InstanceRef } from '../../incus/subject.ts'

/** Our own work froze it and was cut off, so that nobody else thaws it. */
export type ThawAction = { kind: 'thaw'; ref: InstanceRef; reason: string }
