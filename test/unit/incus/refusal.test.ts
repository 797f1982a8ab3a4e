import { describe, expect, test } from 'vitest'
import { classify, mayRetry, type Refusal, describe as say } from '../../../shared/incus/refusal.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'

/** Texts as Incus 6.0.4, 7.0.2 and their drivers give them, with the status they give them. */
const TEXTS: [string, number, Refusal, boolean][] = [
  [
    'UNIQUE constraint failed: instances_snapshots.instance_id, instances_snapshots.name',
    500,
    'exists',
    true,
  ],
  ["Name 'web1/s1' already in use", 409, 'exists', true],
  [
    'Failed creating instance snapshot record "x": Instance is busy running a "create" operation',
    500,
    'busy',
    true,
  ],
  ['Failed getting exclusive access to instance: Instance is running', 500, 'busy', true],
  ['A matching non-reusable operation has now succeeded', 500, 'busy', true],
  ['Create instance snapshot: write /x: No space left on device', 500, 'full', true],
  ['Project "res2" doesn\'t allow for snapshot creation', 500, 'forbidden', false],
  ['User does not have permissions for project "default"', 500, 'forbidden', false],
  ['not authorized', 403, 'forbidden', false],
  [
    'Stateful snapshots require that the instance has migration.stateful be set to true',
    500,
    'unsupported',
    false,
  ],
  [
    'Stateful stop and snapshots require that the instance limits.memory is less than size.state on the root disk device',
    500,
    'unsupported',
    false,
  ],
  ["Unable to create a stateful snapshot. CRIU isn't installed", 500, 'unsupported', false],
  ["Unable to create a stateful snapshot. The instance isn't running", 500, 'unsupported', false],
  [
    'Snapshot "s1" cannot be restored due to subsequent snapshot(s). Set zfs.remove_snapshots to override',
    500,
    'past',
    false,
  ],
  ['Failed to run: lvresize -l +100%ORIGIN -f /dev/ta/c1-s1: exit status 5', 500, 'past', false],
  ['Failed to fetch instance "x" in project "default": Instance not found', 404, 'gone', false],
  [
    'Failed to rename "/p/containers/web1" to "/p/containers/web1.incustmp": rename /p/containers/web1 /p/containers/web1.incustmp: file exists',
    500,
    'leftover',
    false,
  ],
  ['Shutting down', 503, 'unavailable', true],
  ['Daemon is starting up', 503, 'unavailable', true],
  ["Server isn't ready yet", 500, 'unavailable', true],
  [
    'Failed creating instance snapshot record "s1": This "Instance_snapshot" entry already exists',
    500,
    'exists',
    true,
  ],
  ['The instance is already being migrated', 400, 'busy', true],
  [
    'Failed to run: lvcreate -L 64m: Volume group "ta" has insufficient free space (0 extents): 16 required.',
    500,
    'full',
    true,
  ],
  ['Insufficient suitable allocatable extents found for logical volume x', 500, 'full', true],
  [
    'Create instance snapshot: Failed to run: zfs snapshot -r sz/containers/fz@snapshot-s1: exit status 1 (cannot create snapshots : out of space\nno snapshots were created)',
    500,
    'full',
    true,
  ],
  [
    "Failed generating instance migration config: Instance snapshot record count doesn't match instance snapshot volume record count",
    400,
    'uneven',
    true,
  ],
  [
    'Failed to remove "/p/containers/web1": unlinkat /p/containers/web1: device or resource busy',
    500,
    'mounted',
    false,
  ],
  [
    'Failed migration on source: rsync failed to spawn after 10s (Missing trailing-" in remote-shell command.',
    500,
    'quoted',
    false,
  ],
  ['Invalid snapshot name: Name cannot contain white space', 400, 'misnamed', false],
  ['Invalid snapshot name: Name contains invalid character "/"', 400, 'misnamed', false],
  ["This project doesn't allow cluster member targeting", 403, 'forbidden', false],
  ['Missing event connection with target cluster member', 500, 'unavailable', true],
  ['Target cluster member is unavailable', 500, 'unavailable', true],
  ['something nobody has seen before', 500, 'other', true],
]

describe('a refusal of Incus', () => {
  test.each(TEXTS)('%s', (message, status, refusal, again) => {
    expect(classify({ code: 'incus', message, status })).toBe(refusal)
    expect(mayRetry(refusal)).toBe(again)
  })
})

test('that no space is left comes first where Incus names a command and its paths', () => {
  const command = 'Failed to run: rsync -a -HA --sparse --devices --delete --numeric-ids --xattrs -q'
  const message = `${command} /pool/web/ /pool/web-snapshots/: exit status 11 (No space left on device (28))`
  expect(say({ code: 'incus', status: 500, message })).toBe(
    `no space is left: ${message} (free space in the pool or enlarge it)`,
  )
})

test('a transfer that the receiving server broke off is told to be that, unless Incus says why', () => {
  const sent =
    'Error transferring instance data: Failed migration on target: Error from migration control source: Failed migration on source: Rsync send failed: web/s1, /pool/web/s1/: [exit status 11 read unix @incusd/1->@: use of closed network connection]'
  expect(say({ code: 'incus', status: 500, message: `${sent} ()` })).toContain('is its pool full')
  const full = say({ code: 'incus', status: 500, message: `${sent} (No space left on device (28))` })
  expect(full).toMatch(/^no space is left: .*\(free space in the pool/)
})

test('what a killed restore has left is named, with what to do', () => {
  const message =
    'Failed to rename "/p/web1" to "/p/web1.incustmp": rename /p/web1 /p/web1.incustmp: file exists'
  expect(say({ code: 'incus', status: 500, message })).toBe(
    'an interrupted restore left /p/web1.incustmp on the server, with the previous data: move it away, then restore again',
  )
})

test.each([
  ['Failed to remove "/p/web1": unlinkat /p/web1: device or resource busy', '"umount /p/web1" there'],
  ['rename /p/a /p/b: device or resource busy', '"umount /p/a" there'],
  ['device or resource busy', 'find mounts in its pool with "findmnt"'],
])('what is mounted in the way is named: %s', (message, what) => {
  expect(say({ code: 'incus', status: 500, message })).toContain(what)
})

test('a copy of which its pool has more than Incus lists is told with what keeps all of it', () => {
  const message = 'Error deleting storage volume: Cannot remove a volume that has snapshots'
  expect(say({ code: 'incus', status: 500, message })).toMatch(
    /rename the instance there.*a new first copy follows/,
  )
})

test.each([
  [
    'Stateful snapshots require that the instance has migration.stateful be set to true',
    'set migration.stateful=true',
  ],
  ['… that the instance limits.memory is less than size.state on the root disk device', 'root size.state='],
  ["Unable to create a stateful snapshot. CRIU isn't installed", 'needs CRIU on the server'],
  ["Unable to create a stateful snapshot. The instance isn't running", 'no memory to keep'],
])('a refused memory is told with what to set: %s', (message, what) => {
  expect(say({ code: 'incus', status: 500, message })).toContain(what)
})

test.each<[string, number, Refusal, string]>([
  [
    'This project doesn’t allow cluster member targeting',
    403,
    'forbidden',
    'restricted.cluster.target=allow',
  ],
  [
    'Failed checking if instance creation allowed: Failed getting usage of project entities: Instance "x" in project "p" has no "limits.memory" config, either directly or via a profile',
    ...([500, 'forbidden', 'set a limit on the instance'] as const),
  ],
  [
    'Failed checking if instance creation allowed: Invalid value "true" for config "security.privileged" on container "x" of project "p": Privileged containers are forbidden',
    ...([500, 'forbidden', "check the project's restrictions"] as const),
  ],
  [
    'Reached maximum number of instances in project "p"',
    500,
    'forbidden',
    "check the project's restrictions",
  ],
  ['Requested profile "gold" doesn\'t exist', 500, 'gone', 'create a profile of that name'],
  ['Cluster member "nx" not found', 404, 'gone', '"copy.target"'],
  ['Cluster group "grp" doesn\'t exist', 400, 'gone', '"copy.target"'],
])('what a project or a cluster refuses is told with what to set: %s', (message, status, refusal, what) => {
  const error: CallError = { code: 'incus', status, message: message.replaceAll('’', "'") }
  expect(classify(error)).toBe(refusal)
  expect(say(error)).toContain(what)
})

test('lists that disagree are told with what to do if it stays so', () => {
  const message = "Instance snapshot record count doesn't match instance snapshot volume record count"
  expect(say({ code: 'incus', status: 400, message })).toMatch(/tries again; if this persists.*delete those/)
})

test.each<[string, string]>([
  ['Instance is busy running a "migrate" operation', 'nothing was changed: ask again when that has ended'],
  ['Daemon is starting up', 'ask again when it is back'],
  [
    "Instance snapshot record count doesn't match instance snapshot volume record count",
    'ask again; if this',
  ],
])('what nothing tries again is not told to be tried again: %s', (message, what) => {
  const said = say({ code: 'incus', status: 400, message }, true)
  expect(said).toContain(what)
  expect(said).not.toContain('stapes tries again')
})

describe('a refusal on the way', () => {
  test.each<[CallError['code'], Refusal]>([
    ['timeout', 'unknown'],
    ['vanished', 'unknown'],
    ['running', 'unknown'],
    ['locked', 'busy'],
    ['unreachable', 'unavailable'],
    ['certificate', 'misfit'],
    ['untrusted', 'misfit'],
    ['bad-request', 'misfit'],
  ])('%s is %s', (code, refusal) => {
    expect(classify({ code, message: 'x' })).toBe(refusal)
  })

  test('has its own advice in its message, and gets no other', () => {
    const message = 'set remotes.main.fingerprint'
    expect(say({ code: 'certificate', message })).toBe(message)
  })
})
