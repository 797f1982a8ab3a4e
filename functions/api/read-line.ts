/** A request over the API as one types it in chat. */
import { commands } from '../../shared/command/commands.ts'
import { parseLine } from '../../shared/command/parse.ts'
import { previewOf } from '../../shared/command/preview.ts'
import { ok, type Result } from '../../shared/result.ts'
import { Secret } from '../../shared/secret.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { misread, type Problem } from './problem.ts'

export const REASON = 'requested through the API'

/**
 * With the key that nobody types in chat. `shown`: nothing of it is done, so it may also ask what the next tick would
 * do; null: all that it would.
 */
export function readLine(
  line: string,
  key: string | undefined,
  shown: boolean,
): Result<BackupRequest | null, Problem> {
  const parsed = parseLine(line, commands)
  if (!parsed.ok) return misread(parsed.error.text)
  const { command, values } = parsed.value
  if (shown && command.kind === 'preview') {
    const previewed = previewOf(values.line ?? '', commands)
    return previewed.ok ? ok(previewed.value.request ?? null) : misread(previewed.error.text)
  }
  if (command.kind !== 'change')
    return misread(`${command.name} is no request to Incus: POST /api/command answers it`)
  const request = command.request(values, REASON)
  if (!request.ok) return misread(request.error)
  if (key === undefined) return ok(request.value)
  return request.value.do === 'import'
    ? ok({ ...request.value, key: new Secret(key) })
    : misread(`key: ${command.name} needs none`)
}
