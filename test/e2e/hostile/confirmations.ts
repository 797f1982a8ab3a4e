/** Buttons in the wrong hands, at the wrong place, or too late. */
import { createConfirmations } from '../../../functions/chatops/confirmations.ts'
import { parseToken, type Verb } from '../../../shared/access/token.ts'
import type { PlatformName } from '../../../shared/chat/actor.ts'
import type { Outcome, Row } from './row.ts'
import type { Guise, Scene, Tokens } from './scene.ts'
import {
  CHANNELS,
  DAILY,
  DOCUMENT,
  EXPIRED,
  GUARDED,
  PLATFORMS,
  TEAMS,
  TWO_FOR_ALL,
  type Who,
  WITHOUT_ADMINS,
} from './world.ts'

const LINE = `expire web1 --snapshot=${DAILY}`
const STRICT = `expire vault7 --snapshot=${GUARDED}`

const plans = new Map<string, Promise<Tokens>>()

/** One plan serves many rows: none of them may use it up. */
function waiting(scene: Scene, platform: PlatformName, line = LINE): Promise<Tokens> {
  const key = `${platform} ${line}`
  const plan = plans.get(key) ?? scene.propose(platform, line, 'admin')
  plans.set(key, plan)
  return plan
}

const FORGED = /not from stapes|not made here/
const GONE = /was already confirmed or cancelled/

type Press = { by?: Who; guise?: Guise; verb?: keyof Tokens; line?: string }

const press = (
  platform: PlatformName,
  name: string,
  outcome: Outcome,
  { by = 'admin', guise = {}, verb = 'confirm', line = LINE }: Press,
  change: (token: string, scene: Scene) => string | Promise<string> = (token) => token,
): Row => ({
  name: `${name}, on ${platform}`,
  outcome,
  // Mattermost signs nothing: only the token tells that a press is one.
  anonymous: platform === 'mattermost' && 'says' in outcome && outcome.says === FORGED,
  async request(scene) {
    const tokens = await waiting(scene, platform, line)
    return scene.press(platform, await change(tokens[verb], scene), by, guise)
  },
})

const stolen = (platform: PlatformName): Row[] => [
  press(platform, 'confirmed by another admin', { says: /only admin, who requested it/ }, { by: 'second' }),
  press(
    platform,
    'confirmed by an admin of web*',
    { says: /only admin, who requested/ },
    { by: 'narrowAdmin' },
  ),
  press(platform, 'confirmed by an operator', { says: /needs the role admin/ }, { by: 'operator' }),
  press(platform, 'confirmed by a viewer', { says: /needs the role admin/ }, { by: 'viewer' }),
  press(platform, 'confirmed by a stranger', { says: /no grant/ }, { by: 'stranger' }),
  press(
    platform,
    'cancelled by an operator',
    { says: /needs the role admin/ },
    { by: 'operator', verb: 'cancel' },
  ),
  press(platform, 'cancelled by a stranger', { says: /no grant/ }, { by: 'stranger', verb: 'cancel' }),
  press(
    platform,
    'cancelled by an admin of other instances',
    { says: /your grants don.t reach/ },
    { by: 'narrowAdmin', verb: 'cancel', line: STRICT },
  ),
  press(
    platform,
    'confirmed by an admin of other instances',
    { says: /your grants don.t reach/ },
    { by: 'narrowAdmin', line: STRICT },
  ),
  press(
    platform,
    'confirmed by whoever asked, where a second has to',
    { says: /second person/ },
    { line: STRICT },
  ),
  press(
    platform,
    'confirmed by whoever asked, under another name',
    { says: /second person/ },
    { line: STRICT, guise: { name: 'second' } },
  ),
  press(
    platform,
    'confirmed in another channel',
    { says: FORGED },
    { guise: { channel: other(CHANNELS[platform]) } },
  ),
  press(
    platform,
    'cancelled in another channel',
    { says: FORGED },
    { verb: 'cancel', guise: { channel: other(CHANNELS[platform]) } },
  ),
  press(platform, 'confirmed in another team', { says: FORGED }, { guise: { team: other(TEAMS[platform]) } }),
  ...PLATFORMS.filter((one) => one !== platform).map((one) =>
    press(
      platform,
      `a button of ${one}’s`,
      { says: FORGED },
      {},
      async (_, scene) => (await waiting(scene, one)).confirm,
    ),
  ),
]

const other = (id: string): string => `${id.slice(0, -1)}${id.endsWith('2') ? '3' : '2'}`

/** Another character of the same alphabet at that place of that part. */
const flip =
  (part: number, at: number) =>
  (token: string): string =>
    token
      .split('.')
      .map((text, index) =>
        index === part
          ? text.replace(/./g, (one, here) => (here === at ? (one === 'a' ? 'b' : 'a') : one))
          : text,
      )
      .join('.')

const FORGERIES: Record<string, (token: string) => string> = {
  'a token whose id has another character': flip(1, 0),
  'a token whose end has another digit': flip(2, 5),
  'a token that ends later': (token) => token.replace(/^(c\.[^.]+\.)\w/, '$1z'),
  'a token that never ends': (token) => token.replace(/^(c\.[^.]+\.)\w+/, '$1zzzzzzzz'),
  'a token of another digest': flip(3, 4),
  'a token whose code has another character': flip(4, 0),
  'a token whose code has another character in the middle': flip(4, 11),
  'a token with a code of A': (token) => token.replace(/[^.]+$/, 'A'.repeat(22)),
  'a token without its code': (token) => token.replace(/\.[^.]+$/, ''),
  'a token with half of its code': (token) => token.slice(0, -11),
  'a token that goes on': (token) => `${token}A`,
  'a token with spare bits in its code': (token) =>
    token.slice(0, -1) + 'BRhx'['AQgw'.indexOf(token.slice(-1))],
  'a token in capitals': (token) => token.toUpperCase(),
  'a token twice': (token) => `${token}.${token}`.slice(0, 100),
  'a token of another version': (token) => `v2.${token}`.slice(0, 100),
  'a token called __proto__': () => '__proto__',
  'a token of dots': () => '....',
  'a token that is a path': () => 'c/../x',
}

const forged = (platform: PlatformName): Row[] => [
  ...Object.entries(FORGERIES).map(([name, change]) => press(platform, name, { says: FORGED }, {}, change)),
  press(
    platform,
    'a button to cancel that was made one to confirm',
    { says: FORGED },
    { verb: 'cancel' },
    (token) => token.replace(/^x/, 'c'),
  ),
  press(platform, 'a token of another key', { says: FORGED }, {}, (token) =>
    issue(token, Buffer.alloc(32, 7).toString('base64'), platform),
  ),
  press(platform, 'a token of the key, for another place', { says: FORGED }, {}, (token, scene) =>
    issue(token, scene.relayKey, platform, { place: `${platform}:${TEAMS[platform]}/` }),
  ),
  press(platform, 'a token that has just expired', { says: /expired/ }, {}, (token, scene) =>
    issue(token, scene.relayKey, platform, { until: new Date(Date.now() - 1000) }),
  ),
  press(platform, 'a token that expired long ago', { says: /expired/ }, {}, (token, scene) =>
    issue(token, scene.relayKey, platform, { until: new Date('2020-01-01') }),
  ),
  press(platform, 'a token of a plan that nobody asked for', { says: GONE }, {}, (token, scene) =>
    issue(token, scene.relayKey, platform, { id: 'nobody' }),
  ),
  press(platform, 'a token of a plan with another digest', { says: GONE }, {}, (token, scene) =>
    issue(token, scene.relayKey, platform, { digest: 'AAAAAAAAAAA' }),
  ),
]

type Otherwise = { place?: string; until?: Date; id?: string; digest?: string; verb?: Verb }

/** As the Worker would issue it for that plan, but for what is otherwise. */
async function issue(
  token: string,
  key: string,
  platform: PlatformName,
  otherwise: Otherwise = {},
): Promise<string> {
  const given = parseToken(token)
  if (given === null) throw new Error(`no token: ${token}`)
  const { verb, id, digest, expiry } = given
  const place = `${platform}:${TEAMS[platform]}/${CHANNELS[platform]}`
  return (await createConfirmations(key)).issue({
    verb,
    id,
    digest,
    place,
    until: new Date(expiry * 1000),
    ...otherwise,
  })
}

/** A plan of its own, of which something was done already. */
const after = (
  platform: PlatformName,
  name: string,
  outcome: Outcome,
  prepare: (tokens: Tokens, scene: Scene) => Promise<void>,
  more: Partial<Row> & { line?: string; verb?: keyof Tokens } = {},
): Row => ({
  name: `${name}, on ${platform}`,
  outcome,
  async request(scene) {
    const tokens = await scene.propose(platform, more.line ?? LINE, 'admin')
    await prepare(tokens, scene)
    return scene.press(platform, tokens[more.verb ?? 'confirm'], 'admin')
  },
  ...more,
})

const used = (platform: PlatformName): Row[] => {
  const pressed =
    (verb: keyof Tokens) =>
    (tokens: Tokens, scene: Scene): Promise<void> =>
      scene.perform(scene.press(platform, tokens[verb], 'admin'))
  const line = `expire web2 --snapshot=${EXPIRED[PLATFORMS.indexOf(platform)]} --now`
  return [
    after(platform, 'cancelled, then confirmed', { says: GONE }, pressed('cancel')),
    after(platform, 'cancelled twice', { says: GONE }, pressed('cancel'), { verb: 'cancel' }),
    after(
      platform,
      'confirmed twice',
      { says: GONE },
      async (tokens, scene) => {
        const before = [
          ...(scene.incus.main.state.projects.get('default')?.instances.get('web2')?.snapshots.keys() ?? []),
        ]
        await pressed('confirm')(tokens, scene)
        const left =
          scene.incus.main.state.projects.get('default')?.instances.get('web2')?.snapshots.size ?? 0
        if (left !== before.length - 1) throw new Error('an honest confirmation had no effect')
      },
      { line },
    ),
    after(platform, 'confirmed when nothing waits any more', { says: GONE }, async (_, { stage }) => {
      const keys = Object.keys(await stage.worker.readKv()).filter((key) => key.startsWith('pending:'))
      await stage.worker.wipeKv(keys)
      plans.clear()
    }),
    after(
      platform,
      'confirmed by somebody whose grant is gone',
      { says: /no grant/ },
      (_, { stage }) => stage.apply(WITHOUT_ADMINS),
      { afterwards: ({ stage }) => stage.apply(DOCUMENT) },
    ),
    after(
      platform,
      'confirmed alone, where by now a second has to',
      { says: /second person/, to: 'anybody' },
      (_, { stage }) => stage.apply(TWO_FOR_ALL),
      { afterwards: ({ stage }) => stage.apply(DOCUMENT), spends: /^pending:/ },
    ),
    {
      name: `a press that was answered before, on ${platform}`,
      outcome: { turned: 401 },
      async request(scene) {
        const { confirm } = await waiting(scene, platform)
        const { waits: _, ...again } = await refused(scene, platform, confirm)
        return again
      },
    },
  ]
}

/** A press by somebody else: refused, and so the plan still waits. */
async function refused(scene: Scene, platform: PlatformName, token: string) {
  const request = scene.press(platform, token, 'second')
  await scene.perform(request)
  return request
}

export const confirmations: Row[] = PLATFORMS.flatMap((platform) => [
  ...stolen(platform),
  ...forged(platform),
  ...used(platform),
])
