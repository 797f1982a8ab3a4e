/** The JSON Schema by which editors complete and check `stapes.jsonc`. Not for the Worker: it would only carry it. */
import * as z from 'zod/mini'
import { documentSchema } from './schema.ts'

export function configJsonSchema(): object {
  const schema = z.toJSONSchema(documentSchema, { io: 'input', target: 'draft-07' })
  const description = 'What stapes backs up, when, and for how long.'
  // An editor's own word: without it, it would mark the trailing commas that stapes takes.
  return { ...schema, title: 'stapes.jsonc', description, allowTrailingCommas: true }
}
