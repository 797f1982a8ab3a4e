/** What the HTTP API takes, and what each key means, for openapi.json. */
import * as z from 'zod/mini'
import { described } from '../../shared/policy/fields.ts'
import { keepSchema } from '../../shared/policy/keep-schema.ts'
import { REQUESTABLE } from '../../shared/work/verbs.ts'

const iso = () => z.iso.datetime({ offset: true })
const filled = z.string().check(z.minLength(1))
const names = z.array(filled).check(z.minLength(1))

const may = <Item extends z.ZodMiniType>(item: Item, description: string) =>
  described(z.optional(item), description)

const LONGEST_LINE = 4000

export const commandBody = z.strictObject({
  line: described(
    filled.check(z.maxLength(LONGEST_LINE)),
    'A command as in chat, without "/backup", such as "list web1": one that reads, or pauses a policy',
  ),
})

export const runBody = z.strictObject({
  do: may(
    z.enum(REQUESTABLE),
    'If absent: a snapshot where policies or instances are named, else what the schedule says',
  ),
  policies: may(names, 'Policies by name; "snapshot" takes one for each of them'),
  instances: may(names, 'Globs over instance, project/instance or remote/project/instance'),
  snapshots: may(
    names,
    'For expire and allow: globs over snapshots; if absent, what retention no longer keeps',
  ),
  grace: may(
    filled,
    'For expire with snapshots, and remove-export: how long it can be undone, 48h if absent; 0 removes at once',
  ),
  expiry: may(
    filled,
    'For expiry: when Incus removes the snapshot, from now on ("30d"), or "never"; only later than it would. For snapshot: likewise, from now on. For schedule: of what Incus takes by itself',
  ),
  schedule: may(
    z.string(),
    'For schedule: Incus’s own (snapshots.schedule): cron of five fields, aliases, several with comma and space; @never; "none" unsets it on the instance',
  ),
  pattern: may(z.string(), 'The same: how Incus names them (snapshots.pattern); "none" unsets it'),
  stopped: may(z.boolean(), 'The same: also while the instance stands still'),
  manualExpiry: may(
    filled,
    'The same: of what is taken on request (snapshots.expiry.manual), where Incus knows that',
  ),
  instance: may(
    filled,
    'For restore, put, clone, bring-back, move, hold, release, undo, expiry, rename, describe, schedule, take-over, cancel, export, check, import, hold-export, release-export, remove-export and undo-export: a path without wildcards',
  ),
  snapshot: may(
    filled,
    'For restore, put, clone, hold, release, undo, expiry, rename, describe and export: a name; an export without one is of the newest complete snapshot',
  ),
  to: may(filled, 'For export and check: the store, by its name in the relay’s configuration'),
  export: may(
    filled,
    'For check and import: the export, by its name; absent: the newest one in that store. For hold-export, release-export, remove-export and undo-export: its name',
  ),
  last: may(
    z.boolean(),
    'For remove-export: also the newest whole export of its instance, where the relay’s configuration allows that',
  ),
  optimized: may(
    z.boolean(),
    'For export: in the form of the pool’s driver (btrfs, ZFS), which only such a pool can take back',
  ),
  as: may(
    filled,
    'For clone and import: the name of the new instance or custom volume. For rename and snapshot: that of the snapshot',
  ),
  remote: may(
    filled,
    'For clone, bring-back, move and import: where the new instance is made; if absent, where the original is, or was',
  ),
  project: may(filled, 'The same: its project'),
  pool: may(filled, 'The same: the pool of its root disk'),
  from: may(
    filled,
    'The same: the remote whose snapshot it is made from; if absent, the original’s, else a copy’s. For import, hold-export, release-export, remove-export and undo-export: the store, by its name in the relay’s configuration',
  ),
  path: may(filled, 'For put: the file or folder, absolute'),
  start: may(z.boolean(), 'The same: start it once it is whole'),
  profiles: may(
    z.array(filled),
    'For import: the profiles of the new instance, instead of those that its export names; they have to be there',
  ),
  config: may(
    z.record(z.string(), z.string()),
    'For import: config beside what its export has, or instead of it. Nothing by which it reaches its host, and none of snapshots.*, boot.autostart*, volatile.* and user.stapes.*',
  ),
  devices: may(
    z.record(z.string(), z.record(z.string(), z.string())),
    'For import: likewise, cards of a network of its server ({"type": "nic", "network": "…"}), or {"type": "none"}',
  ),
  key: may(
    filled.check(z.maxLength(10_000)),
    'For import of an encrypted export: the age identity that opens it (AGE-SECRET-KEY-1…), for this one try; it is kept nowhere',
  ),
  stateful: may(
    z.boolean(),
    'For restore: also the memory in the snapshot of a virtual machine. For snapshot: with the memory',
  ),
  diskOnly: may(
    z.boolean(),
    'For restore: the disk alone, its settings stay. Incus can do that from 6.0.6 and 6.22 on',
  ),
  reuse: may(z.boolean(), 'For snapshot with "as": what is called so already stays under another name'),
  note: may(
    z.string().check(z.maxLength(300)),
    'For hold and hold-export: the reason. For describe: the description of a custom volume’s snapshot; none: it is removed',
  ),
  line: may(
    filled.check(z.maxLength(LONGEST_LINE)),
    'A command as in chat, without "/backup", such as "restore web1 daily-20261122T0300Z", instead of "do" and what belongs to it; only "key" and "confirm" go with it',
  ),
  confirm: may(
    filled,
    'For restore, put, expire, remove-export and allow: the digest of the plan to perform',
  ),
})

export const planBody = z.extend(runBody, {
  document: may(z.unknown(), 'A stapes.jsonc to plan by instead of the applied one; it is not applied'),
})

/** An instance in one decision is one; a second of processor time has about 30,000. */
const EFFORT = 20_000

export const simulateBody = z.strictObject({
  document: may(z.unknown(), 'A stapes.jsonc to simulate instead of the applied one; it is not applied'),
  policy: may(filled, 'Only what this policy covers'),
  subject: may(filled, 'A glob over instance, project/instance or remote/project/instance'),
  days: described(
    z._default(z.int().check(z.gte(1), z.lte(366)), 365),
    'How far ahead; snapshots are counted after a day, a week, a month and a year',
  ),
  effort: described(
    z._default(z.int().check(z.gte(1), z.lte(1_000_000)), EFFORT),
    'How much may be computed; where it does not suffice, "cut" in the answer says how far it got',
  ),
})

const taken = z.strictObject({
  name: filled,
  takenAt: described(iso(), 'Taken as the slot'),
  held: z._default(z.boolean(), false),
})

export const retentionBody = z.strictObject({
  keep: keepSchema,
  timezone: described(z._default(z.string(), 'UTC'), 'IANA time zone of the hours, days and weeks'),
  now: may(iso(), 'Later snapshots are kept and not counted; if absent, the present'),
  snapshots: z.array(taken).check(z.maxLength(10_000)),
})
