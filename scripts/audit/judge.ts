/** What `npm audit --json` found. */
import * as z from 'zod/mini'
import { parseJsonc } from '../../shared/jsonc.ts'

const many = z.number()
const report = z.object({
  metadata: z.object({
    vulnerabilities: z.object({ low: many, moderate: many, high: many, critical: many }),
  }),
})

/** `unasked`: the registry gave no advisories, which says nothing about the packages. */
type Audit = { state: 'sound' | 'vulnerable' | 'unasked'; text: string }

export function judgeAudit(output: string): Audit {
  const json = parseJsonc(output)
  const found = report.safeParse(json.ok ? json.value : null)
  if (!found.success)
    return {
      state: 'unasked',
      text: 'the registry gave no advisories, so nothing was checked: run it again where npm reaches registry.npmjs.org',
    }
  const { low, moderate, high, critical } = found.data.metadata.vulnerabilities
  const text = `${critical} critical, ${high} high, ${moderate} moderate and ${low} low`
  return high + critical > 0
    ? { state: 'vulnerable', text: `known vulnerabilities: ${text}. "npm audit" lists them` }
    : { state: 'sound', text: `no known vulnerability that is high or critical (${text})` }
}
