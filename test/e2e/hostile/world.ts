/** Who is there, what they may do, and what must never be named to those who may not see it. */
import type { PlatformName } from '../../../shared/chat/actor.ts'

export const PLATFORMS = ['slack', 'discord', 'mattermost'] as const satisfies PlatformName[]

/** `narrow…`: on `web*` of one project alone. Nobody has granted the stranger anything. */
export type Who = 'admin' | 'second' | 'operator' | 'viewer' | 'narrow' | 'narrowAdmin' | 'stranger'

const NUMBERS: Record<Who, number> = {
  admin: 1,
  second: 2,
  operator: 3,
  viewer: 4,
  narrow: 5,
  narrowAdmin: 6,
  stranger: 7,
}

export const TEAMS: Record<PlatformName, string> = {
  slack: 'T1DC2JH3J',
  discord: '4100000000000000001',
  mattermost: 'tteamteamteamteamteamteam1',
}

export const CHANNELS: Record<PlatformName, string> = {
  slack: 'C8PSS9T3V',
  discord: '4200000000000000001',
  mattermost: 'cchannelchannelchannelcha1',
}

export const userOf = (platform: PlatformName, who: Who): string =>
  ({
    slack: `U2CERLKJ${NUMBERS[who]}`,
    discord: `430000000000000000${NUMBERS[who]}`,
    mattermost: `uuseruseruseruseruseruser${NUMBERS[who]}`,
  })[platform]

const everywhere = (who: Who): string[] =>
  PLATFORMS.map((platform) => `${platform}:${TEAMS[platform]}/${userOf(platform, who)}`)

const NARROW = ['main/default/web*']

const grants = [
  { who: everywhere('admin'), role: 'admin' },
  { who: everywhere('second'), role: 'admin' },
  { who: everywhere('operator'), role: 'operator' },
  { who: everywhere('viewer'), role: 'viewer' },
  { who: everywhere('narrow'), role: 'operator', instances: NARROW },
  { who: everywhere('narrowAdmin'), role: 'admin', instances: NARROW },
]

/** Far away: whatever happens here, a request did. */
const schedule = '0 0 1 1 *'
const policy = (remote: string, project: string, instances: string[]) => ({
  ...{ schedule, keep: { last: 3 } },
  select: { remotes: [remote], projects: [project], instances },
})

const policies = {
  daily: { ...policy('main', 'default', ['web*', 'ledger9']), copy: { remote: 'backup' } },
  guarded: { ...policy('main', 'default', ['vault7']), approval: 'second' },
  fenced: policy('main', 'fenced', ['*']),
  attic: policy('backup', 'default', ['attic5']),
}

export const DOCUMENT = { policies, access: { grants } }

/** Nobody is an admin any more. */
export const WITHOUT_ADMINS = {
  policies,
  access: { grants: grants.filter(({ role, instances }) => role !== 'admin' || instances !== undefined) },
}

/** What one could confirm alone before, two have to. */
export const TWO_FOR_ALL = {
  ...DOCUMENT,
  policies: { ...policies, daily: { ...policies.daily, approval: 'second' } },
}

/** One for each platform, which no row has taken a snapshot of in this minute. */
export const FRESH = ['web3', 'web4', 'web5'] as const

export const INSTANCES = [
  { remote: 'main', project: 'default', name: 'web1' },
  { remote: 'main', project: 'default', name: 'web2' },
  ...FRESH.map((name) => ({ remote: 'main', project: 'default', name }) as const),
  { remote: 'main', project: 'default', name: 'ledger9' },
  { remote: 'main', project: 'default', name: 'vault7' },
  { remote: 'main', project: 'fenced', name: 'payroll3' },
  { remote: 'backup', project: 'default', name: 'attic5' },
] as const

/** Of an hour long ago, so that the next one has another name. */
export const DAILY = 'daily-20261101T0000Z'
/** One for each platform, where a plan is really performed. */
export const EXPIRED = ['daily-20261102T0000Z', 'daily-20261103T0000Z', 'daily-20261104T0000Z'] as const
export const GUARDED = 'guarded-20261101T0000Z'
const SECRET = 'quarterly-close'

/** The newest of an instance never expires: of those of one second, the first. */
const NEWEST = '20261105T0000Z'

export const SNAPSHOTS = [
  ['web1', `daily-${NEWEST}`],
  ['web1', DAILY],
  ['web2', `daily-${NEWEST}`],
  ['web2', DAILY],
  ...EXPIRED.map((snapshot) => ['web2', snapshot] as const),
  ['ledger9', `daily-${NEWEST}`],
  ['ledger9', DAILY],
  ['vault7', `guarded-${NEWEST}`],
  ['vault7', GUARDED],
  ['vault7', SECRET],
] as const

/** Words that only somebody knows who may see those instances. */
export const HIDDEN = ['ledger9', 'vault7', 'payroll3', 'attic5', SECRET]
