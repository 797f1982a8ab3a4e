/** What the HTTP API answers of an instance and of what it has: snapshots, copies, exports and files. */
import * as z from 'zod/mini'
import { exportRowSchema } from '../../shared/work/export/manifest.ts'
import { iso, maybe, text, texts } from './answer-parts.ts'

const replica = z.object({
  target: text,
  state: text,
  verified: texts,
  unverified: texts,
  problem: maybe.check(
    z.describe('The instance at that place is not a copy of this one, so none of its snapshots count'),
  ),
})

const settings = z.object({
  name: text,
  keep: z.record(text, z.union([z.int(), text])),
  expiry: z.nullable(text),
  manual: z.object({ expiry: z.nullable(text) }).check(z.describe('Of snapshots on request')),
  stateful: z.union([z.boolean(), z.literal('possible')]),
  copiedTo: z.nullable(text),
  from: z.record(text, text).check(z.describe('Where each value comes from: document, instance or profile')),
  nothingExpires: maybe,
})

const snapshot = z.object({
  name: text,
  createdAt: iso,
  removedAt: z
    .optional(iso)
    .check(z.describe('Somebody removed it: Incus does so then, and until then "undo" takes that back')),
  policy: z
    .nullable(text)
    .check(z.describe('manual: on request; before-restore: before a restore; null: not by a policy')),
})

const instance = z.object({
  instance: text,
  status: text,
  policies: z.array(settings),
  snapshots: z.nullable(z.array(snapshot)),
  copies: z.array(replica),
  problem: maybe,
})

const otherCopy = z.object({
  target: text,
  source: text,
  sourceIs: z
    .enum(['there', 'gone', 'unreadable'])
    .check(z.describe('unreadable: its remote gives no answer; there: not covered, or copied elsewhere')),
  status: text,
  verified: texts,
  unverified: texts,
  problem: maybe,
})

export const instances = z.object({
  at: iso,
  instances: z.array(instance),
  otherCopies: z
    .array(otherCopy)
    .check(z.describe('Instances marked as copies whose sources are not among the instances')),
  problems: z.array(z.object({ about: text, reason: text })),
})

export const snapshots = z.object({
  instance: text,
  problem: z.nullable(text),
  snapshots: z.array(
    z.object({
      name: text,
      createdAt: iso,
      by: z.nullable(text).check(z.describe('A policy; "request"; null: not by a policy')),
      held: z.boolean(),
      expiresAt: z
        .optional(z.nullable(iso))
        .check(z.describe('When Incus removes it by itself; null: never; absent: it could not be read')),
      size: z.optional(z.nullable(z.int())).check(z.describe('Bytes, where the pool’s driver knows them')),
      stateful: z.optional(z.boolean()),
      description: z.optional(text),
      reasons: texts.check(z.describe('Why it is kept, or goes, by the next run’s plan')),
    }),
  ),
})

export const exported = z.object({
  instance: text,
  stores: z.array(
    z.object({
      store: text,
      exports: z.nullable(
        z.array(
          z.extend(exportRowSchema, {
            reason: text.check(z.describe('Why it stays, or that it goes')),
          }),
        ),
      ),
      deletes: z.optional(
        z
          .nullable(text)
          .check(
            z.describe(
              'Whether the relay’s own key could delete what the store holds; null: nobody has looked',
            ),
          ),
      ),
      strays: texts.check(z.describe('What is no export though it looks like one, in words')),
      problem: z.nullable(text).check(z.describe('Why the store could not be read')),
    }),
  ),
})

const file = z.object({
  name: text,
  kind: z.enum(['file', 'folder', 'link', 'other']).check(z.describe('other: a device, a pipe or a socket')),
  size: z.nullable(z.int()),
  mode: text,
  uid: z.int(),
  gid: z.int(),
  modifiedAt: z.nullable(iso),
  target: maybe.check(z.describe('Of a link: where it leads, as it is written there')),
  unreadable: z
    .optional(z.literal(true))
    .check(z.describe('Its name or target is no UTF-8, so no path names it; a tar of its folder has it')),
})

export const files = z.object({
  instance: text,
  snapshot: text,
  from: text.check(z.describe('What was read: the instance, or its copy')),
  path: text,
  itself: file,
  entries: z.array(file),
  total: z.int(),
  next: z.nullable(z.int()).check(z.describe('"skip" of the next page; null: there is none')),
})
