import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'
import { endpoints, openapi } from '../../../functions/api/endpoints.ts'
import { createApp } from '../../../functions/app.ts'

test('openapi.json is valid OpenAPI, with each endpoint, and leads to what an error looks like', async () => {
  const described = openapi() as { paths: Record<string, Record<string, { responses: object }>> }
  expect(await new Validator().validate(structuredClone(described))).toMatchObject({ valid: true })
  for (const { method, path } of endpoints)
    expect(described.paths[path]?.[method]?.responses).toMatchObject({
      default: { $ref: '#/components/responses/problem' },
    })
  expect(described).toHaveProperty([
    ...['components', 'responses', 'problem', 'content'],
    ...['application/problem+json', 'schema', 'properties', 'detail'],
  ])
})

test('the described endpoints are the ones that the Worker answers', () => {
  const answered = createApp(() => new Date(0))
    .routes.filter(({ method, path }) => /^\/(api\/|metrics$)/.test(path) && method !== 'ALL')
    .map(({ method, path }) => `${method.toLowerCase()} ${path}`)
  expect(endpoints.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(answered.sort())
})

type Node = { description?: string; properties?: Record<string, Node> }
type Bodies = Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Node }> } }>>

/** The keys of a request's body. */
function keysOf(method: string, path: string): [string, Node][] {
  const { paths } = openapi() as { paths: Bodies }
  const body = paths[path]?.[method]?.requestBody?.content['application/json']
  return Object.entries(body?.schema.properties ?? {})
}

describe.each([
  ['post', '/api/plan'],
  ['post', '/api/run'],
])('openapi.json says of %s %s', (method, path) => {
  test('what each key of the body means', () => {
    const keys = keysOf(method, path)
    expect(keys.map(([key]) => key)).toEqual(
      expect.arrayContaining(['do', 'policies', 'instances', 'snapshot', 'confirm']),
    )
    expect(keys.filter(([, { description }]) => description === undefined)).toEqual([])
  })
})
