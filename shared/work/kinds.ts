/** All kinds of work, in the order in which they are read. Adding one is its folder, and a line here. */
import type { AllowRequest, LookRequest } from '../plan/request.ts'
import { cancel } from './cancel/kind.ts'
import { check } from './check/kind.ts'
import { clone } from './clone/kind.ts'
import { copy } from './copy/kind.ts'
import { exporting } from './export/kind.ts'
import { hold } from './hold/kind.ts'
import { importing } from './import/kind.ts'
import type { Kind, Verb } from './kind.ts'
import { put } from './put/kind.ts'
import { removal } from './removal/kind.ts'
import { rename } from './rename/kind.ts'
import { restore } from './restore/kind.ts'
import { retention } from './retention/kind.ts'
import { schedule } from './schedule/kind.ts'
import { snapshot } from './snapshot/kind.ts'
import { thaw } from './thaw/kind.ts'
import { thinning } from './thinning/kind.ts'

const ALL = [
  restore,
  clone,
  put,
  snapshot,
  hold,
  retention,
  copy,
  exporting,
  check,
  thinning,
  removal,
  importing,
  cancel,
  thaw,
  schedule,
  rename,
] as const

type OneKind = (typeof ALL)[number]
type Values<All> = All[keyof All]
type ActedBy<Of> = Of extends Verb<infer Action> ? Action : never
type ActionOf<K extends OneKind> = K extends OneKind ? ActedBy<Values<K['verbs']>> : never
type PlanOf<Of> = Of extends { plan(requested: { request: infer R }): unknown } ? R : never
type RequestOf<K extends OneKind> = K extends OneKind ? PlanOf<Values<NonNullable<K['requests']>>> : never

export type Action = ActionOf<OneKind>

/** All requests of the kinds. */
type WorkRequest = RequestOf<OneKind>
export type BackupRequest = LookRequest | AllowRequest | WorkRequest

/** What comes from a kind goes back to that kind: here they are all alike. */
export const KINDS = ALL as readonly unknown[] as readonly Kind[]
