/** What the doctor has found: something that is wrong or may become so, or that can't be known, each with its cure. */
import type { Code } from './codes.ts'

/**
 * `critical`: backups fail, or are about to. `warning`: it needs a look. `unknown`: it could not be looked at, so it may be
 * either. `info`: for the record.
 */
export const SEVERITIES = ['critical', 'warning', 'unknown', 'info'] as const
export type Severity = (typeof SEVERITIES)[number]

export type Finding = {
  code: Code
  severity: Severity
  /** A remote, a store, `remote/pool`, `remote/project`, the key of an instance, a channel; null: all. */
  about: string | null
  /** A clause that begins in lower case, without its full stop; so `cure`. */
  what: string
  cure: string
}

type Told = Omit<Finding, 'code' | 'severity'>

const tell =
  (severity: Severity) =>
  (code: Code, about: Told['about'], what: string, cure: string): Finding => ({
    code,
    severity,
    about,
    what,
    cure,
  })

export const critical = tell('critical')
export const warning = tell('warning')
export const unknown = tell('unknown')
export const info = tell('info')
