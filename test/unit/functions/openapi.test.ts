import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { endpoints, openapi } from '../../../functions/api/endpoints.ts'
import { pathOf } from '../policy/documents.ts'

test('openapi.json is current (npm run openapi)', () => {
  expect(readFileSync(pathOf('functions/public/openapi.json'), 'utf8')).toBe(
    `${JSON.stringify(openapi(), null, 2)}\n`,
  )
})

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
