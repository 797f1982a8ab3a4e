/** What Incus itself says of each snapshot of an instance, beside its name and date: the cheap listings lack it. */
import type { StepReport } from '../relay/protocol.ts'

export type SnapshotDetail = {
  /** When Incus removes it by itself (ISO 8601); null: never. */
  expiresAt: string | null
  /** Bytes, where the driver of the pool knows that. */
  size: number | null
  /** It holds the memory. */
  stateful: boolean
  /** Of a custom volume's; empty: none. */
  description: string
}

/** By name; null: it could not be read. */
export type Details = ReadonlyMap<string, SnapshotDetail> | null

export function parseDetails(reports: readonly StepReport[] | null): Details {
  const report = reports?.[0]
  if (report?.ok !== true || !Array.isArray(report.metadata)) return null
  const rows: unknown[] = report.metadata
  return new Map(rows.flatMap((row) => detailOf(row) ?? []))
}

function detailOf(row: unknown): [[string, SnapshotDetail]] | null {
  if (typeof row !== 'object' || row === null) return null
  const { name, expiresAt, size, stateful, description } = row as Record<string, unknown>
  if (typeof name !== 'string') return null
  return [
    [
      name,
      {
        expiresAt: typeof expiresAt === 'string' ? expiresAt : null,
        size: typeof size === 'number' && size > 0 ? size : null,
        stateful: stateful === true,
        description: typeof description === 'string' ? description : '',
      },
    ],
  ]
}
