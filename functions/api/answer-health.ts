/** How things are, by the verdict. */
import * as z from 'zod/mini'
import { PROMISES } from '../../shared/promise/terms.ts'
import { iso, maybe, text, texts } from './answer-parts.ts'

const tone = z
  .enum(['good', 'warning', 'bad'])
  .check(z.describe('bad: a promise is not kept, or may not be soon; warning: something needs a look'))

const promised = z.object({
  kind: z.enum(PROMISES),
  policy: text,
  subject: text,
  target: z.nullable(text).check(z.describe('Of a copy: where it is; of an export: the store')),
  state: z
    .enum(['kept', 'pending', 'broken', 'unknown'])
    .check(
      z.describe(
        'pending: there is none yet, or none since the policy was tightened or resumed, in time; unknown: what was seen last is too old to tell',
      ),
    ),
  newest: z.nullable(z.object({ snapshot: text, at: iso })),
  gone: z.optional(z.literal(true)).check(z.describe('It had some, and all of them are gone')),
  keptShare: z
    .nullable(z.number())
    .check(z.describe('Of the last 30 days, or since it is judged: from 0 to 1, in which share it was kept')),
  until: z.nullable(iso).check(z.describe('Kept until then, if nothing more happens')),
  since: z.nullable(iso).check(z.describe('Not kept since then')),
  reason: z.nullable(text),
})

const condition = z.object({
  id: text,
  severity: z.enum(['critical', 'warning', 'info']),
  kind: z.enum(['all', 'remote', 'policy', 'instance']).check(z.describe('What `about` names')),
  about: z.nullable(text),
  keys: z
    .optional(texts)
    .check(z.describe('Instances that the text names, or whose reason it has, otherwise than by their keys')),
  text,
  reason: maybe,
  code: maybe.check(z.describe('Of a remote without an answer: the error; `relay`: nobody could ask it')),
  since: z.nullable(iso),
})

export const health = {
  health: tone,
  warnings: texts.check(z.describe('All that is not well, the gravest first')),
  promises: z.array(promised),
  conditions: z.array(condition),
}

export const healthy = z.object(health)
