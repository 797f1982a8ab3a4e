import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { configJsonSchema } from '../../../shared/policy/json-schema.ts'
import { pathOf } from './documents.ts'

type Node = { type?: string; description?: string; properties?: Record<string, Node>; anyOf?: Node[] } & {
  additionalProperties?: boolean | Node
}

const schema: Node = configJsonSchema()

test('stapes.schema.json is current (npm run schema)', () => {
  expect(readFileSync(pathOf('stapes.schema.json'), 'utf8')).toBe(`${JSON.stringify(schema, null, 2)}\n`)
})

/** All nodes with the path that leads there. */
function* walk(node: Node, path: string): Generator<[string, Node]> {
  yield [path, node]
  for (const [key, value] of Object.entries(node.properties ?? {})) yield* walk(value, `${path}.${key}`)
  for (const value of node.anyOf ?? []) yield* walk(value, path)
  if (typeof node.additionalProperties === 'object') yield* walk(node.additionalProperties, `${path}.*`)
}

test('every key of every object has words that an editor can show', () => {
  const nodes = [...walk(schema, '')].flatMap(([path, node]) =>
    Object.entries(node.properties ?? {}).map(([key, { description }]) => ({
      key: `${path}.${key}`,
      description,
    })),
  )
  expect(nodes.length).toBeGreaterThan(60)
  expect(nodes.filter(({ description }) => description === undefined)).toEqual([])
})

test('no object takes unknown keys', () => {
  const open = [...walk(schema, '')].filter(
    ([, node]) => node.properties !== undefined && node.additionalProperties !== false,
  )
  expect(open).toEqual([])
})
