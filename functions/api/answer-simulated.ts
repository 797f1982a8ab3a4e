/** What a simulation answers. */
import * as z from 'zod/mini'
import { iso, line, text, texts } from './answer-parts.ts'

const removal = z.object({
  at: iso,
  of: text.check(z.describe('The instance, or its copy; of an export also its store: instance>store')),
  snapshot: text,
  when: z
    .enum(['now', 'next', 'later'])
    .check(z.describe('now: at once; next: with the next slot of its policy')),
  by: z
    .enum(['retention', 'expiry', 'refresh'])
    .check(z.describe('refresh: a copy loses what its source no longer has')),
  reason: text,
})

const counted = z.object({
  at: iso,
  in: z.array(z.object({ of: text, snapshots: z.int(), oldest: z.nullable(iso) })),
})

const course = z.object({
  subject: text,
  policies: texts,
  until: iso.check(z.describe('Simulated until then')),
  removals: z.array(removal).check(z.describe('Of the snapshots and exports that exist')),
  braked: z
    .array(z.object({ at: iso, reason: text, snapshots: texts }))
    .check(z.describe('What the brake would hold back until somebody allows it')),
  paced: z
    .boolean()
    .check(z.describe('Some goes days later: the relay leaves half of what there was within a day')),
  counts: z.array(counted),
})

export const simulated = z.object({
  at: iso,
  until: iso,
  cut: z.nullable(text).check(z.describe('What was not simulated as far as that; null: everything was')),
  subjects: z.array(course),
  unseen: texts.check(z.describe('Remotes that gave no answer')),
  text,
  difference: z
    .nullable(z.object({ lines: z.array(line), text }))
    .check(
      z.describe('From what the applied configuration would do; null: it is that one, or there is none'),
    ),
  applied: z.boolean().check(z.describe('Whether it is the applied configuration')),
  warnings: texts,
})
