/** A plan in a terminal: its moments as people read them, "2026-11-22 03:00 UTC". */
import { plain } from '../shared/chat/words.ts'
import { type Line, renderLines } from '../shared/plan/line.ts'

export const planText = (lines: readonly Line[]): string =>
  renderLines(lines.map((line) => ({ ...line, reason: plain(line.reason) })))
