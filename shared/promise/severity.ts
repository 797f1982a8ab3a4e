/**
 * `critical`: something isn't backed up, or may not be. `warning`: it needs a look. `info`: for the record.
 */
export const SEVERITIES = ['critical', 'warning', 'info'] as const
export type Severity = (typeof SEVERITIES)[number]
