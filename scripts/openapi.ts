/** Writes functions/public/openapi.json; `npm run openapi` after a change to an endpoint or its schemas. */
import { writeFileSync } from 'node:fs'
import { openapi } from '../functions/api/endpoints.ts'

const file = new URL('../functions/public/openapi.json', import.meta.url)
writeFileSync(file, `${JSON.stringify(openapi(), null, 2)}\n`)
