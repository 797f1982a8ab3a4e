/** Lines of a plan as a caller of the API reads them: what takes something back is a request there, and no command of chat. */
import type { Line } from '../../shared/plan/line.ts'

const BACK = /\/backup (undo|restore) (\S+) ([\w.-]+)/g

export const inApi = (text: string): string =>
  text.replace(
    BACK,
    (_, what: string, instance: string, snapshot: string) =>
      `POST /api/run with ${JSON.stringify({ do: what, instance, snapshot })}`,
  )

export const lineInApi = (line: Line): Line => ({ ...line, reason: inApi(line.reason) })
