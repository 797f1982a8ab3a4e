/**
 * `POST /v1/examine`: what the doctor asks of the relay beside the inventory. It changes nothing on any server: what must be forbidden is asked for by names that
 * exist nowhere, and a way between two servers is tried with an operation that there isn't.
 */
import type { InstanceRef } from '../incus/subject.ts'
import type { CallError } from './protocol.ts'

export type ExamRequest = {
  /** By remote, what to look at there. */
  remotes: Record<string, { pools: string[]; projects: string[] }>
  ways: Way[]
}

/** Whether the server of a snapshot reaches that of `to`, under the address that the relay's configuration gives it. */
export type Way = { from: InstanceRef; snapshot: string; to: string }

/** Of what the relay's certificate must not be able to do, or need not. */
export const RIGHTS = ['server', 'files', 'console', 'profiles'] as const
export type Right = (typeof RIGHTS)[number]

/** Bytes. `samples`: how much was used before, `[seconds since the epoch, bytes]`, the oldest first. */
export type SpaceExam = { used: number; total: number; samples: (readonly [second: number, used: number])[] }

export type ProjectExam = {
  /** Names; null: they can't be listed, or none may be seen. */
  profiles: string[] | null
  networks: string[] | null
  /** Which instances use which of them, by name: some at least. Null: they can't be listed. */
  uses: { profiles: Record<string, string[]>; networks: Record<string, string[]> } | null
  /** Whether it is allowed; null: that isn't known. */
  rights: Record<Right, boolean | null>
}

export type RemoteExam =
  | { ok: false; error: CallError }
  | {
      ok: true
      /** Seconds that its clock is ahead of the relay's, or behind it (negative); null: it doesn't say. */
      skew: number | null
      /** Null: its driver doesn't tell, or it can't be read. */
      pools: Record<string, SpaceExam | null>
      projects: Record<string, ProjectExam>
    }

/** `unknown`: it could not be tried. */
export type WayExam = Way & ({ state: 'reached' } | { state: 'failed' | 'unknown'; reason: string })

export type StoreExam = {
  type: 'directory' | 's3'
  /** Null: a bucket, or it can't be read. */
  space: SpaceExam | null
  /** Why it can't be read. */
  problem?: string
  /** Files that were begun there and not ended, and could not be removed yet. */
  unfinished: string[]
}

/** Of the engine alone. */
export type EngineExam = { remotes: Record<string, RemoteExam>; ways: WayExam[] }

export type ExamReply = EngineExam & {
  version: string
  /** Its clock, in milliseconds since the epoch. */
  at: number
  /** When they end (ISO 8601): the relay's own, and by remote the one that it showed last; null: that isn't known. */
  certificates: { client: string | null; remotes: Record<string, string | null> }
  stores: Record<string, StoreExam>
}
