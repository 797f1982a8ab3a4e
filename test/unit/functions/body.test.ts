import { Hono } from 'hono'
import { expect, test } from 'vitest'
import type * as z from 'zod/mini'
import { readBody } from '../../../functions/api/body.ts'
import { retentionBody, runBody, simulateBody } from '../../../functions/api/requests.ts'

async function problemOf(schema: z.ZodMiniType, body: unknown): Promise<unknown> {
  const app = new Hono().post('/', async (context) => {
    const read = await readBody(context, schema)
    return context.json(read.ok ? null : read.error)
  })
  return (await app.request('/', { method: 'POST', body: JSON.stringify(body) })).json()
}

test.each([
  [runBody, { do: 'snapshot', polices: ['daily'] }, 'unknown key "polices"; did you mean "policies"?'],
  [runBody, { do: 'snapshot', xyzzyxyzzy: 1 }, /^unknown key "xyzzyxyzzy"; known are do, policies, /],
  [runBody, { do: 'backup' }, /^do: expected one of .*restore.*snapshot/],
  [runBody, { do: 'snapshot', instances: 'web1' }, 'instances: expected a list'],
  [runBody, { do: 'snapshot', instances: [] }, 'instances: it is empty'],
  [runBody, { do: 'hold', instance: 7 }, 'instance: expected a text'],
  [runBody, { do: 'clone', start: 'yes' }, 'start: expected true or false'],
  [runBody, [], 'expected an object'],
  [simulateBody, { days: 400 }, 'days: expected at most 366'],
  [simulateBody, { days: 0.5 }, /^days: expected a whole number/],
  [
    retentionBody,
    { keep: {}, snapshots: [{ name: 'a', takenAt: 'x' }] },
    /^snapshots\.0\.takenAt: expected a date/,
  ],
  [retentionBody, { keep: { daily: 'x' }, snapshots: [] }, /^keep\.daily: expected /],
])('what is wrong with a body is said in words (%#)', async (schema, body, said) => {
  const detail = typeof said === 'string' ? said : expect.stringMatching(said)
  expect(await problemOf(schema, body)).toMatchObject({ status: 422, detail })
})

test('a value is not shown, since it may be a key', async () => {
  const problem = await problemOf(runBody, { do: 'import', key: 'AGE-SECRET-KEY-1'.repeat(1000) })
  expect(problem).toMatchObject({ detail: 'key: expected at most 10000 characters' })
})
