/** The form of a job's steps: each field with a bound, and no field that isn't known. */
import { z } from 'zod'
import { parsePath } from '../shared/incus/file-path.ts'
import { TRANSFER_MODES } from '../shared/incus/transfer-mode.ts'
import { OWN_KEYS } from '../shared/own-schedule/settings.ts'
import { LONGEST_PAUSE } from '../shared/policy/defaults.ts'
import { LONGEST_NAME } from '../shared/relay/protocol.ts'
import type { Step } from '../shared/relay/steps.ts'

/** Snapshots of one instance. */
const MOST = 20_000
const LONGEST_NOTE = 10_000
/** Instances and volumes that are taken as one. */
const MOST_MEMBERS = 500

/** What a request can't address, or would address something else by, is refused here. */
const isPlain = (text: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  text !== '.' && text !== '..' && !/[/\\\u0000-\u001f\u007f]|\p{Surrogate}/u.test(text)

const name = z.string().min(1).max(LONGEST_NAME).refine(isPlain, 'no name of Incus')
export const snapshot = name.refine((text) => !text.includes('%'), 'no name that Incus can address')
const names = z.array(z.string().min(1).max(LONGEST_NAME)).max(MOST)
const moment = z.iso.datetime({ offset: true, precision: null }).max(40)
const expiry = moment.nullable()
const text = z.string().max(LONGEST_NOTE)
export const ref = z.strictObject({ remote: name, project: name, instance: name })
/** As it is: what would have to be changed is refused. */
export const filePath = z.string().refine((path) => {
  const parsed = parsePath(path)
  return parsed.ok && parsed.value === path
}, 'no path of a file')
const pairs = z.array(z.tuple([z.string().min(1).max(LONGEST_NAME), z.number().int().min(0)])).max(MOST)
const texts = z.record(z.string().max(LONGEST_NAME), text)
const expiries = z.record(z.string().max(LONGEST_NAME), moment)
/** Words of a mark, which spaces separate. */
const word = z.string().min(1).max(LONGEST_NAME).regex(/^\S+$/, 'no word without spaces')
const transfer = z.strictObject({ id: word, from: z.number().int().min(0), names: z.array(word).max(MOST) })
/** A store, or a hook, by its name in the relay's configuration; and an export, by the second in which it was requested. */
const store = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'no name of a store')
const exported = z.string().regex(/^\d{8}T\d{6}Z$/, 'no name of an export')
const fingerprint = z.string().regex(/^([0-9a-f]{64})?$/, 'no certificate’s fingerprint')

const given = z.strictObject({
  profiles: z.array(name).max(100).exactOptional(),
  config: texts.exactOptional(),
  devices: z.record(z.string().max(LONGEST_NAME), texts).exactOptional(),
})

const sending = {
  source: ref,
  target: ref,
  transferMode: z.enum(TRANSFER_MODES),
  pool: name.nullable(),
  member: name.nullable(),
  first: z.boolean(),
  startOver: z.boolean(),
  unverified: z.array(snapshot).max(MOST),
  transfer,
  owner: text,
  listed: names,
  unfinished: transfer.nullable(),
  verified: pairs,
  lasting: names,
  mirrored: names,
  excludeOlder: z.boolean(),
  sourceServer: fingerprint,
  inconsistent: z.boolean(),
  extended: expiries,
  given: given.exactOptional(),
}

const cloning = {
  from: ref,
  snapshot: snapshot.refine((text) => /^\S+$/.test(text), 'a name without spaces'),
  to: ref,
  whole: z.boolean(),
  start: z.boolean(),
  pool: name.nullable(),
  transferMode: z.enum(TRANSFER_MODES),
}

const importing = {
  of: ref,
  store,
  to: ref,
  start: z.boolean(),
  pool: name.nullable(),
  given: given.exactOptional(),
  key: z.string().max(10_000).nullable(),
}

const setting = z.array(z.strictObject({ snapshot, expiresAt: expiry })).max(MOST)

export const stepSchema: z.ZodType<Step> = z.discriminatedUnion('do', [
  z.strictObject({
    do: z.literal('take'),
    ref,
    snapshot,
    stateful: z.boolean(),
    expiresAt: expiry,
    again: z.literal(true).exactOptional(),
  }),
  z.strictObject({
    do: z.literal('take-group'),
    snapshot,
    members: z
      .array(z.strictObject({ ref, expiresAt: expiry, again: z.literal(true).exactOptional() }))
      .min(1)
      .max(MOST_MEMBERS),
    pause: z.number().min(1).max(LONGEST_PAUSE),
    hook: z.strictObject({ name: store, otherwise: z.enum(['fail', 'pause']) }).exactOptional(),
  }),
  z.strictObject({ do: z.literal('expire'), ref, snapshot }),
  z.strictObject({ do: z.literal('expire-later'), ref, snapshot, expiresAt: moment }),
  z.strictObject({ do: z.literal('undo'), ref, snapshot }),
  z.strictObject({ do: z.literal('prolong'), ref, snapshot, expiresAt: expiry }),
  z.strictObject({ do: z.literal('set-expiry'), ref, snapshot, expiresAt: expiry }),
  z.strictObject({ do: z.literal('postpone'), ref, snapshot, expiresAt: moment }),
  z.strictObject({ do: z.literal('hold'), ref, snapshot: name, note: text.nullable() }),
  z.strictObject({
    do: z.literal('rename'),
    ref,
    snapshot,
    to: snapshot,
    createdAt: z.number().int().min(0).nullable(),
  }),
  z.strictObject({ do: z.literal('describe'), ref, snapshot, text: z.string().max(1000) }),
  z.strictObject({
    do: z.literal('schedule'),
    ref,
    config: z.partialRecord(z.enum(OWN_KEYS), text),
    was: text,
  }),
  z.strictObject({ do: z.literal('start'), ref }),
  z.strictObject({ do: z.literal('thaw'), ref }),
  z.strictObject({ do: z.literal('end-restore'), ref, safeties: z.array(word).max(MOST) }),
  z.strictObject({
    do: z.literal('restore'),
    ref,
    snapshot,
    safety: z.strictObject({ name: snapshot, expiresAt: expiry, taken: z.boolean() }),
    partial: snapshot.nullable(),
    restored: z.boolean(),
    running: z.boolean(),
    stateful: z.boolean(),
    diskOnly: z.literal(true).exactOptional(),
    holds: texts,
    held: z.array(snapshot).max(MOST),
    expiresAt: expiry,
    users: z.array(name).max(MOST_MEMBERS).exactOptional(),
  }),
  z.strictObject({ do: z.literal('copy'), ...sending }),
  z.strictObject({ do: z.literal('check-copy'), rules: texts.nullable(), ...sending }),
  z.strictObject({
    do: z.literal('verify'),
    source: ref,
    target: ref,
    marks: pairs,
    rest: names,
    expiries: setting,
    restore: z.array(z.strictObject({ snapshot, expiresAt: moment })).max(MOST),
    protect: z.boolean(),
    owner: text,
  }),
  z.strictObject({ do: z.literal('clone'), ...cloning }),
  z.strictObject({ do: z.literal('check-clone'), ...cloning }),
  z.strictObject({ do: z.literal('finish-clone'), ref, start: z.boolean() }),
  z.strictObject({ do: z.literal('remove-clone'), ref }),
  z.strictObject({ do: z.literal('read-snapshots'), ref }),
  z.strictObject({
    do: z.literal('put'),
    ref,
    from: ref,
    snapshot: snapshot.refine((text) => /^\S+$/.test(text), 'a name without spaces'),
    path: filePath,
    safety: z.strictObject({ name: snapshot, expiresAt: expiry, taken: z.boolean() }),
  }),
  z.strictObject({ do: z.literal('cancel'), ref, job: z.string().min(1).max(LONGEST_NAME) }),
  z.strictObject({
    do: z.literal('export'),
    ref,
    snapshot,
    store,
    name: exported,
    optimized: z.boolean(),
    policy: word.exactOptional(),
    owner: word.exactOptional(),
  }),
  z.strictObject({ do: z.literal('survey-exports'), ref, store }),
  z.strictObject({ do: z.literal('expire-export'), ref, store, name: exported, policy: word, owner: word }),
  z.strictObject({
    do: z.literal('note-export'),
    ref,
    store,
    name: exported,
    note: z.discriminatedUnion('do', [
      z.strictObject({ do: z.literal('hold'), text: z.string().min(1).max(1000) }),
      z.strictObject({ do: z.literal('release') }),
      z.strictObject({ do: z.literal('remove'), end: moment, last: z.boolean() }),
      z.strictObject({ do: z.literal('undo') }),
    ]),
  }),
  z.strictObject({ do: z.literal('drop-export'), ref, store, name: exported }),
  z.strictObject({ do: z.literal('check-export'), ref, store, name: exported.nullable() }),
  z.strictObject({ do: z.literal('import'), name: exported, ...importing }),
  z.strictObject({ do: z.literal('check-import'), name: exported.nullable(), ...importing }),
  z.strictObject({
    do: z.literal('read-exports'),
    ref,
    store: store.nullable(),
    name: exported.nullable(),
    newest: z.literal(true).exactOptional(),
  }),
])
