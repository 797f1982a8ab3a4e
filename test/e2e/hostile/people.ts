/** People whom the platform let in, and who ask for what they were not granted. */
import type { PlatformName } from '../../../shared/chat/actor.ts'
import type { Outcome, Row } from './row.ts'
import type { Guise } from './scene.ts'
import { DAILY, PLATFORMS, TEAMS, userOf, type Who } from './world.ts'

const OPERATORS = [
  'now web1',
  "now '*'",
  'now --policy=daily',
  'copy',
  'copy web1',
  `hold web1 ${DAILY}`,
  `hold web1 ${DAILY} before the upgrade`,
  `release web1 ${DAILY}`,
  'pause daily',
  'pause daily 2h',
  'resume daily',
]
const ADMINS = [`restore web1 ${DAILY}`, 'expire web1', `expire web1 --snapshot=${DAILY}`, "expire '*'"]
const VIEWERS = [
  'status',
  'status web1',
  'list',
  'list web1',
  'plan',
  'plan now web1',
  'missed',
  'policies',
  'history',
]

const UNGRANTED = /no grant in stapes\.jsonc names you/
const TOO_LOW = /needs the role (operator|admin), and yours is (viewer|operator)/

const ask = (
  platform: PlatformName,
  name: string,
  who: Who,
  line: string,
  outcome: Outcome,
  guise: Guise = {},
): Row => ({
  name: `${name}, on ${platform}: ${line}`,
  outcome,
  request: (scene) => scene.command(platform, line, who, guise),
})

const lines = (platform: PlatformName, name: string, who: Who, all: readonly string[], says: RegExp): Row[] =>
  all.map((line) => ask(platform, name, who, line, { says }))

/** On Discord, an answer stands where its command was acknowledged: for all to see. */
const later = (platform: PlatformName, says: RegExp): Outcome =>
  platform === 'discord' ? { says, to: 'channel' } : { says }

const BEYOND = /your grants don.t reach/
/** The engine's own refusals stand where its results would: for all to see. */
const UNSEEN = /no such instance or snapshot among those that your grants cover|your grants don.t reach/

const beyond = (platform: PlatformName): Row[] => [
  ...[
    'now vault7',
    'now default/vault7',
    'now main/default/vault7',
    "now '*'",
    "now '*/*'",
    'now vau* web1',
  ].map((line) => ask(platform, 'an operator of web*', 'narrow', line, later(platform, BEYOND))),
  ...['now --policy=fenced', 'now fenced/payroll3'].map((line) =>
    ask(platform, 'an operator of web*', 'narrow', line, later(platform, BEYOND)),
  ),
  // Its snapshot of this minute may be there already.
  ...['now backup/default/attic5', 'now attic?'].map((line) =>
    ask(platform, 'an operator of web*', 'narrow', line, {
      says: /your grants don.t reach|had nothing to do/,
      to: 'anybody',
    }),
  ),
  ...[
    `hold ledger9 ${DAILY}`,
    `release vault7 nosuch`,
    'hold vault8 x',
    'hold vault7 quarterly-clos',
    'hold valut7 x',
  ].map((line) => ask(platform, 'an operator of web*', 'narrow', line, { says: UNSEEN, to: 'anybody' })),
  ...['pause daily', 'pause guarded 1h', 'resume daily'].map((line) =>
    ask(platform, 'an operator of web*', 'narrow', line, { says: /a policy covers others/ }),
  ),
  ...[`restore ledger9 ${DAILY}`, 'restore vault7 quarterly-clos', 'restore valut7 x'].map((line) =>
    ask(platform, 'an admin of web*', 'narrowAdmin', line, { says: UNSEEN, to: 'anybody' }),
  ),
  ...["expire '*' --snapshot='*'", `expire ledger9 --snapshot=${DAILY}`].map((line) =>
    ask(platform, 'an admin of web*', 'narrowAdmin', line, later(platform, BEYOND)),
  ),
]

const previews = (platform: PlatformName): Row[] => [
  ...['plan now web1', `plan hold web1 ${DAILY}`].map((line) =>
    ask(platform, 'a viewer, of an operator’s command', 'viewer', line, { says: TOO_LOW }),
  ),
  ...[`plan restore web1 ${DAILY}`, 'plan expire web1'].map((line) =>
    ask(platform, 'an operator, of an admin’s command', 'operator', line, { says: TOO_LOW }),
  ),
  ...[
    "plan now '*'",
    'plan now vault7',
    'plan',
    "plan '*'",
    'plan vault7',
    'plan hold valut7 x',
    'plan vault8',
  ].map((line) => ask(platform, 'an operator of web*', 'narrow', line, { says: /./ })),
]

/** They may read; of what they may not see, nothing is in it. */
const readings = (platform: PlatformName): Row[] =>
  [
    'status',
    'status vault7',
    'status vault8',
    'list',
    'list vault7',
    'list valut7',
    'list attic5',
    'missed',
    'history',
    'history --count=50',
  ].map((line) => ask(platform, 'an operator of web*', 'narrow', line, { says: /./ }))

const guises = (platform: PlatformName): Row[] => {
  const admin = userOf(platform, 'admin')
  const strange: [string, Guise][] = [
    ['a stranger who calls themselves admin', { name: 'admin' }],
    ['a stranger who calls themselves by an admin’s id', { name: admin }],
    ['a stranger who calls themselves by a grant', { name: `${platform}:${TEAMS[platform]}/${admin}` }],
    ['an admin’s id with one more digit', { user: `${admin}1` }],
    ['an admin’s id without its last digit', { user: admin.slice(0, -1) }],
    ['an admin’s id in another team', { user: admin, team: otherTeam(platform) }],
  ]
  const cased: [string, Guise][] =
    platform === 'discord'
      ? []
      : [
          ['an admin’s id in the other case', { user: swapped(admin) }],
          ['an admin’s team in the other case', { user: admin, team: swapped(TEAMS[platform]) }],
          ['an admin’s id of another platform', { user: userOf('discord', 'admin') }],
          ['an admin’s team as the user', { user: TEAMS[platform], team: admin }],
        ]
  return [...strange, ...cased].map(([name, guise]) =>
    ask(platform, name, 'stranger', 'now web1', { says: UNGRANTED }, guise),
  )
}

const swapped = (text: string): string =>
  text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase()

const otherTeam = (platform: PlatformName): string =>
  ({ slack: 'T1DC2JH3K', discord: '4100000000000000002', mattermost: 'tteamteamteamteamteamteam2' })[platform]

const answered = (platform: PlatformName): Row[] =>
  ['help', 'help restore', 'whoami'].map((line) =>
    ask(platform, 'a stranger', 'stranger', line, { says: /./ }),
  )

/** All of them on the first platform; every third on the others, where only the door is another. */
const some = (platform: PlatformName, all: readonly string[]): readonly string[] =>
  all.filter((_, index) => platform === 'slack' || index % 3 === PLATFORMS.indexOf(platform))

export const people: Row[] = PLATFORMS.flatMap((platform) => [
  ...lines(platform, 'a viewer', 'viewer', some(platform, [...OPERATORS, ...ADMINS]), TOO_LOW),
  ...lines(platform, 'an operator', 'operator', ADMINS, TOO_LOW),
  ...lines(
    platform,
    'a stranger',
    'stranger',
    some(platform, [...VIEWERS, ...OPERATORS, ...ADMINS]),
    UNGRANTED,
  ),
  ...answered(platform),
  ...beyond(platform),
  ...previews(platform),
  ...readings(platform),
  ...guises(platform),
])
