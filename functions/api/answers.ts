/** What the HTTP API answers, for openapi.json: answers are not checked by it. */

import * as z from 'zod/mini'
import { WORK_STATES } from '../../shared/ledger/work.ts'
import { COUNTS, LONG_KINDS } from '../../shared/work/verbs.ts'
import { health } from './answer-health.ts'
import { iso, line, maybe, text, texts } from './answer-parts.ts'

export const problem = z.object({
  type: text,
  title: text,
  status: z.int(),
  detail: text,
  errors: z.optional(z.array(z.object({ path: text, message: text }))),
})

export const planned = z.object({
  at: iso,
  lines: z.array(line),
  text,
  digest: text.check(z.describe('Digest of the plan; send it as "confirm" to perform exactly this plan')),
  applied: z.boolean().check(z.describe('Whether the plan uses the applied configuration')),
  warnings: texts.check(
    z.describe('What the roles of remotes keep from working, and warnings about the given document'),
  ),
  approval: z
    .enum(['self', 'second'])
    .check(z.describe('second: a policy requires a second person to confirm it, in chat')),
})

const piece = z.union([
  text,
  z.object({ code: text }),
  z.object({ strong: text }),
  z.object({ at: iso, style: z.enum(['ago', 'full']) }),
  z.object({ user: text }),
])

export const said = z.object({
  line: text.check(z.describe('The command, as it was understood')),
  tone: z.enum(['good', 'info', 'warning', 'bad']),
  text: text.check(z.describe('For people')),
  message: z
    .object({
      headline: z.array(piece),
      details: z.array(
        z.union([
          z.object({ kind: z.literal('lines'), lines: z.array(z.array(piece)) }),
          z.object({ kind: z.literal('code'), text }),
        ]),
      ),
    })
    .check(z.describe('The same in pieces whose meaning is known, as chat shows it')),
})

const runRecord = {
  at: iso,
  trigger: text,
  ...Object.fromEntries(COUNTS.map(({ name }) => [name, z.int()])),
  problems: texts,
  thawed: z.optional(
    texts.check(z.describe('Instances that interrupted work left frozen, each with the reason')),
  ),
  takenBack: z.optional(
    texts.check(z.describe('Instances of which a removal was taken back, each with the reason')),
  ),
}

export const ran = z.discriminatedUnion('state', [
  z.object({ state: z.literal('idle'), until: iso }),
  z.object({ state: z.literal('unconfigured'), problems: texts }),
  z.object({
    state: z.literal('ran'),
    lines: z.array(line),
    results: z
      .array(
        z.object({
          line,
          state: z.enum(['done', 'started', 'refused', 'unknown', 'blocked']),
          reason: maybe,
        }),
      )
      .check(z.describe('The outcome of each action')),
    refusal: z.nullable(z.object({ code: text, reason: text })),
    started: z
      .object(Object.fromEntries(LONG_KINDS.map(({ long }) => [long.noun.several, texts])))
      .check(
        z.describe(
          'Work that was begun and that later ticks follow: copies by source>target, all else by instance',
        ),
      ),
    ...runRecord,
  }),
])

const slot = z.object({
  slot: iso,
  outcome: z.enum(['served', 'skipped', 'missed', 'failed']),
  reason: maybe,
  served: z.optional(z.int()),
  failures: z.optional(z.array(z.object({ instance: text, reason: text }))),
  paused: z.optional(z.record(z.string(), z.number())),
  through: z.optional(iso),
  count: z.optional(z.int()),
})

/** Of each kind of long work, by the key of what it works on. */
const work = Object.fromEntries(
  LONG_KINDS.map(({ long }) => [
    long.noun.several,
    z.record(
      text,
      z.object({
        state: z.enum(WORK_STATES),
        ...long.shown,
        attempts: z.int(),
        at: iso,
        reason: maybe,
        retryAt: z.optional(iso),
      }),
    ),
  ]),
)

const policy = z.object({
  schedule: texts,
  timezone: text,
  paused: z.boolean(),
  pause: z.optional(z.object({ by: text, at: iso, until: z.nullable(iso) })),
  nextSlot: z.nullable(iso),
  open: z.nullable(iso),
  slots: z.array(slot),
})

const ownSchedules = z.object({
  zone: z
    .nullable(z.number())
    .check(z.describe('Minutes that the wall clock of the server is ahead of UTC; null: not known yet')),
  instances: z.record(
    text,
    z.object({
      schedule: text,
      since: iso,
      missed: z.nullable(iso).check(z.describe('Its newest slot, if Incus took no snapshot then')),
    }),
  ),
  slots: z.array(slot),
})

export const status = z.object({
  configured: z.boolean(),
  appliedAt: z.nullable(iso),
  wakeAt: z.nullable(iso),
  ...health,
  policies: z.record(text, policy),
  ownSchedules: z
    .record(text, ownSchedules)
    .check(z.describe("Incus's own schedules (snapshots.schedule), by remote")),
  ...work,
  runs: z.array(z.object(runRecord)),
})

export const progress = z.object({
  at: iso,
  work: z.array(
    z.object({
      kind: text.check(z.describe('As GET /api/status calls it: copies, exports, …')),
      key: text.check(z.describe('What it works on')),
      state: z.enum(['queued', 'running']),
      since: iso,
      progress: maybe.check(z.describe('In the words of Incus or the relay')),
      bytes: z.optional(z.int()).check(z.describe('So far')),
      bytesPerSecond: z.optional(z.int()),
      percent: z.optional(z.int()).check(z.describe('Absent: what all of it is isn’t known')),
    }),
  ),
})

export const config = z.object({ appliedAt: iso, version: text, document: z.unknown() })

export const applied = z.object({ version: text, appliedAt: iso, policies: texts, warnings: texts })

export const notified = z.object({
  channels: z.array(
    z.object({
      ...{ name: text, type: text, ok: z.boolean() },
      reason: maybe.check(z.describe('Why it did not take the message; never a secret')),
    }),
  ),
})

export const history = z.object({
  records: z
    .array(
      z.object({
        id: text,
        at: iso,
        who: text,
        name: text,
        from: text,
        askedBy: maybe,
        what: text,
        plan: maybe.check(z.describe('Digest of the plan that was performed')),
        instances: z.optional(texts),
        outcome: z.optional(
          z.object({
            state: z.enum(['done', 'started', 'refused', 'failed', 'unknown']),
            text,
            at: iso,
          }),
        ),
      }),
    )
    .check(
      z.describe(
        'Changes that people requested, newest first; without "outcome", the outcome is not known yet',
      ),
    ),
})

export const retention = z.object({
  keep: z.array(z.object({ name: text, reasons: texts })),
  expire: z.array(z.object({ name: text, reason: text })),
})
