/** Writes stapes.schema.json; `npm run schema` after a change to the document's shape. */
import { writeFileSync } from 'node:fs'
import { configJsonSchema } from '../shared/policy/json-schema.ts'

const file = new URL('../stapes.schema.json', import.meta.url)
writeFileSync(file, `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
