/** The shape of a `copy` in `stapes.jsonc`. */
import * as z from 'zod/mini'
import { mayGiveDevice, mayGiveKey } from '../incus/given.ts'
import { TRANSFER_MODES } from '../incus/transfer-mode.ts'
import { DEFAULTS } from './defaults.ts'
import { mayExpire } from './expiry-schema.ts'
import * as field from './fields.ts'
import { mayKeep } from './keep-schema.ts'

const { may, object } = field

export const copySchema = object(
  {
    remote: may(field.remote, 'The remote that holds the copy.'),
    project: may(
      field.project,
      "The project that the copy goes into; without it, the project of the same name as the source's.",
    ),
    pool: may(
      field.pool,
      "The copy's storage pool; without it, that of the target's default profile, and for a custom volume the one that is called like its own.",
    ),
    target: may(
      field.member,
      'Where the remote is a cluster: the member that a first copy goes to, or `@` and a group of members; without it, Incus chooses. A refresh goes to the member that has the copy.',
      { examples: ['n2', '@backups'] },
    ),
    profiles: may(
      z.array(field.word, { error: 'a list of profiles, such as ["default"]' }),
      "Of a new copy: its profiles on the target; without it, those of the source's names. A refresh changes none.",
      { examples: [['default'], []] },
    ),
    config: may(
      z.record(
        z.string().check(
          z.refine(mayGiveKey, {
            error:
              'a key of an instance that reaches no host, and is none of snapshots.*, boot.autostart*, volatile.* or user.stapes.*',
          }),
        ),
        z.string({ error: 'a text, such as "1GiB"' }),
        { error: 'an object, such as { "limits.memory": "1GiB" }' },
      ),
      "Of a new copy: config beside the source's, or instead of it. Its snapshots keep theirs, and so does what is made from them.",
      { examples: [{ 'limits.memory': '1GiB' }] },
    ),
    devices: may(
      z.record(
        field.word,
        z
          .record(z.string(), z.string())
          .check(z.refine(mayGiveDevice, { error: 'a device of the type "nic" or "none"' })),
        { error: 'an object, such as { "eth0": { "type": "none" } }' },
      ),
      'Of a new copy: likewise, networks (`nic`), or `none` for what it is not to have, such as a network that the target lacks.',
      { examples: [{ eth0: { type: 'none' } }] },
    ),
    transferMode: may(
      z.enum(TRANSFER_MODES, {
        error:
          '"pull" (the target dials the source), "push" (the source dials the target) or "relay" (the relay dials both)',
      }),
      '`pull`: the target dials the source. `push`: the source dials the target. `relay`: the relay dials both and passes the data on, for servers that can’t reach each other.',
      { default: DEFAULTS.copy.transferMode },
    ),
    allow: may(
      z.enum(['freeze', 'inconsistent'], {
        error:
          '"inconsistent" (a running instance keeps running) or "freeze" (it may stand still while it is copied)',
      }),
      "Where Incus freezes a running instance for the whole copy (dir, LVM, Ceph; virtual machines nearly everywhere). `inconsistent`: it keeps running, and the copy's current state may be inconsistent; its snapshots, the actual backups, never are. `freeze`: it stands still, and the current state is consistent too.",
      { default: DEFAULTS.copy.allow },
    ),
    keep: mayKeep(
      'How long snapshots stay on the copy. The next refresh also removes what the source no longer has.',
    ),
    expiry: mayExpire(
      'When Incus removes a snapshot from the copy, counted from when the copy no longer needs it. The newest verified one, and what `keep` wants, stay however long the source is gone.',
    ),
    mirror: may(
      field.flag,
      'true: a refresh may remove what `keep` still wants here, once the source no longer has it. false: it waits.',
      { default: DEFAULTS.copy.mirror },
    ),
  },
  'an object, such as { "remote": "backup" }',
)
