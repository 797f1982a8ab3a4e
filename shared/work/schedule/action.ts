/** Changes of Incus's own schedule of an instance or a custom volume. */
import type { InstanceRef } from '../../incus/subject.ts'
import type { OwnConfig } from '../../own-schedule/settings.ts'
import type { AnyRequest } from '../../plan/request.ts'

export type ScheduleAction = {
  kind: 'schedule'
  ref: InstanceRef
  config: OwnConfig
  /** Its schedule as it holds now, profiles included; empty: none. */
  was: string
  reason: string
}

export type SetScheduleRequest = AnyRequest & {
  do: 'schedule'
  instance: string
  config: OwnConfig
}
/** A policy that covers it does alone what Incus's own schedule does. */
export type TakeOverRequest = AnyRequest & { do: 'take-over'; instance: string }
