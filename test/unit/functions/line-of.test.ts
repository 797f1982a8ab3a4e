/** What is recorded of a request over the API is what one would type in chat. */
import { expect, test } from 'vitest'
import type * as z from 'zod/mini'
import { lineOf } from '../../../functions/api/line-of.ts'
import { requestOf } from '../../../functions/api/read-request.ts'
import type { runBody } from '../../../functions/api/requests.ts'
import { commands } from '../../../shared/command/commands.ts'
import { parseLine } from '../../../shared/command/parse.ts'

type Body = z.output<typeof runBody>

test.each<[Body, string]>([
  [{ do: 'snapshot', instances: ['web1', 'db*'] }, 'now web1 db*'],
  [
    { do: 'snapshot', instances: ['web1'], as: 'gold', expiry: 'never', reuse: true },
    'now web1 --as=gold --reuse --expiry=never',
  ],
  [{ do: 'expiry', instance: 'web1', snapshot: 'x', expiry: 'never' }, 'expiry web1 x --in=never'],
  [{ do: 'expiry', instance: 'web1', snapshot: 'x', expiry: '30d' }, 'expiry web1 x --in=30d'],
  [{ do: 'rename', instance: 'web1', snapshot: 'x', as: 'gold' }, 'rename web1 x --as=gold'],
  [{ do: 'describe', instance: 'default:db', snapshot: 'x', note: 'a b' }, 'describe default:db x "a b"'],
  [
    { do: 'schedule', instance: 'web1', schedule: '0 3 * * *', expiry: 'none', stopped: true },
    'schedule web1 --expiry=none --stopped "0 3 * * *"',
  ],
  [{ do: 'schedule', instance: 'web1' }, 'schedule web1'],
  [{ do: 'take-over', instance: 'web1' }, 'take-over web1'],
])('%j', (body, line) => {
  const request = requestOf(body)
  if (!request.ok || request.value === null) throw new Error('no request')
  expect(lineOf(request.value)).toBe(line)
  const parsed = parseLine(line, commands)
  if (!parsed.ok || parsed.value.command.kind !== 'change') throw new Error(line)
  const typed = parsed.value.command.request(parsed.value.values, request.value.reason)
  expect(typed).toMatchObject({ ok: true, value: JSON.parse(JSON.stringify(request.value)) })
})
