/** What the doctor has found. */
import * as z from 'zod/mini'
import { AREAS, CODES } from '../../shared/doctor/codes.ts'
import { SEVERITIES } from '../../shared/doctor/finding.ts'
import { iso, text } from './answer-parts.ts'

export const diagnosed = z.object({
  at: iso,
  tone: z
    .enum(['good', 'warning', 'bad'])
    .check(
      z.describe('bad: something is critical; warning: something needs a look, or could not be looked at'),
    ),
  findings: z
    .array(
      z.object({
        code: z.enum(Object.keys(CODES)).check(z.describe('docs/doctor.md explains each')),
        severity: z
          .enum(SEVERITIES)
          .check(z.describe('unknown: it could not be looked at, so it may be wrong')),
        about: z
          .nullable(text)
          .check(
            z.describe('A remote, a store, remote/pool, remote/project, an instance, a channel; null: all'),
          ),
        what: text,
        cure: text,
      }),
    )
    .check(z.describe('The gravest first')),
  fine: z.array(z.enum(AREAS)).check(z.describe('Areas in which nothing was found')),
})
