/** Requests at Discord's door that Discord never sends, though they are signed. Let in, most would take a snapshot. */
import type { Interaction } from '../../chat/discord-request.ts'
import { command, discordSignatures, discordTimestamps, signed } from './discord-signature.ts'
import { type Row, turned } from './row.ts'
import type { Scene } from './scene.ts'
import { TEAMS, userOf } from './world.ts'

/** The honest interaction, otherwise. */
const changed =
  (change: (given: Record<string, unknown>) => unknown, of = command): Row['request'] =>
  (scene) => {
    const made = change({ ...of(scene) })
    return signed(scene, typeof made === 'string' ? made : JSON.stringify(made))
  }
const member = (name: string, value: unknown) => changed((given) => ({ ...given, [name]: value }))
const data = (value: unknown) => member('data', value)
const options = (...list: unknown[]) => data({ name: 'backup', options: list })
const now = (...list: unknown[]) => options({ type: 1, name: 'now', options: list })
const press = (scene: Scene): Interaction => scene.app.press(scene.person('admin'), 'x')
const component = (value: unknown) => changed((given) => ({ ...given, data: value }), press)
const INSTANCES = { type: 3, name: 'instances', value: 'web1' }

const bodies = turned(400, {
  'an empty body': changed(() => ''),
  'half a body': changed((given) => JSON.stringify(given).slice(0, -1)),
  'a body that is a form': changed(() => 'type=2&name=backup'),
  'a body that is a list': changed((given) => [given]),
  'a body that is null': changed(() => 'null'),
  'a body that is a text': changed(() => '"backup"'),
  'a body of a hundred thousand brackets': changed(() => '['.repeat(100_000)),
  'no type': member('type', undefined),
  'the type 0': member('type', 0),
  'a form that was sent': member('type', 5),
  'a type that there is not': member('type', 6),
  'a type in a text': member('type', '2'),
  'a type with decimals': member('type', 2.5),
  'no id': member('id', undefined),
  'an id that is a number': member('id', 45),
  'an id in words': member('id', 'latest'),
  'an id of 21 digits': member('id', '1'.repeat(21)),
  'no application': member('application_id', undefined),
  'no token': member('token', undefined),
  'an empty token': member('token', ''),
  'a token with a slash': member('token', 'x/messages/@original/../../y'),
  'a token that goes up': member('token', '../../users/@me'),
  'a token of dots': member('token', '..'),
  'a token with an encoded slash': member('token', 'x%2f..%2fy'),
  'a token with a query': member('token', 'x?wait=true'),
  'a token with a fragment': member('token', 'x#y'),
  'a token with a line break': member('token', 'x\ny'),
  'a token with an at sign': member('token', 'x@evil.example'),
  'a token of 501 characters': member('token', 'x'.repeat(501)),
  'no channel': member('channel_id', undefined),
  'a channel that is a path': member('channel_id', '1/2'),
  'a guild that is a path': member('guild_id', '@me'),
  'a guild that is null': member('guild_id', null),
  nobody: member('member', undefined),
  'a member without a user': member('member', { roles: [] }),
  'a member whose id is no number': member('member', { user: { id: 'admin', username: 'a' }, roles: [] }),
  'a member without roles': member('member', { user: { id: '1', username: 'a' } }),
  'a member whose roles are a text': member('member', { user: { id: '1', username: 'a' }, roles: 'admin' }),
  'a role that is a path': member('member', { user: { id: '1', username: 'a' }, roles: ['1/../2'] }),
  'nobody, in a direct message': changed(({ guild_id: _, member: __, ...given }) => given),
  'no data': member('data', undefined),
  'data that is a text': data('now web1'),
  'another command': data({ name: 'restart', options: [{ type: 1, name: 'now', options: [] }] }),
  'no options': data({ name: 'backup' }),
  'no sub-command': options(),
  'two sub-commands': options({ type: 1, name: 'help' }, { type: 1, name: 'now', options: [INSTANCES] }),
  'a group of sub-commands': options({ type: 2, name: 'admin', options: [{ type: 1, name: 'now' }] }),
  'a sub-command that is an option': options({ type: 3, name: 'now', value: 'web1' }),
  'a sub-command without a name': options({ type: 1, name: '', options: [] }),
  'a sub-command with a name of 101 characters': options({ type: 1, name: 'n'.repeat(101) }),
  'an option within an option': now({ ...INSTANCES, value: undefined, options: [INSTANCES] }),
  'an option without a value': now({ type: 3, name: 'instances' }),
  'an option that is null': now({ ...INSTANCES, value: null }),
  'an option that is a list': now({ ...INSTANCES, value: ['web1'] }),
  'an option that is an object': now({ ...INSTANCES, value: { toString: 'web1' } }),
  'an option without a name': now({ ...INSTANCES, name: '' }),
  'options that are no list': options({ type: 1, name: 'now', options: { instances: 'web1' } }),
  'a press of a menu': component({ component_type: 3, custom_id: 'x', values: ['x'] }),
  'a press without an id': component({ component_type: 2 }),
  'a press with an empty id': component({ component_type: 2, custom_id: '' }),
  'a press with an id of 101 characters': component({ component_type: 2, custom_id: 'c'.repeat(101) }),
  'a press with an id of 100,000 characters': component({
    component_type: 2,
    custom_id: 'c'.repeat(100_000),
  }),
  'a press with an id that is an object': component({ component_type: 2, custom_id: {} }),
  'somebody typing, but nothing': changed((given) => ({ ...given, type: 4 })),
})

const at =
  (path: string, method = 'POST'): Row['request'] =>
  (scene) => {
    const { body, headers } = signed(scene, command(scene))
    return { path, method, headers, ...(method === 'GET' || body === undefined ? {} : { body }) }
  }

const elsewhere = [
  ...turned(404, {
    'a signed GET': at('/chat/discord', 'GET'),
    'a signed PUT': at('/chat/discord', 'PUT'),
    'a signed DELETE': at('/chat/discord', 'DELETE'),
    'a signed request to another path': at('/chat/discord/interactions'),
  }),
  ...turned(413, {
    'a signed body of 257 KiB': changed((given) => ({ ...given, more: 'x'.repeat(257 * 1024) })),
  }),
  ...turned(401, {
    'Discord’s request at Slack’s door': at('/chat/slack'),
    'Mattermost’s command at Discord’s door': (scene) => {
      const { headers, body } = scene.command('mattermost', 'now web1', 'admin')
      return { path: '/chat/discord', headers, ...(body === undefined ? {} : { body }) }
    },
    'a command that was answered before': async (scene) => {
      const request = scene.command('discord', 'now web2', 'admin')
      await scene.perform(request)
      const { waits: _, ...again } = request
      return again
    },
    'a command that was answered before, signed anew': async (scene) => {
      const request = scene.command('discord', 'now web2', 'admin')
      await scene.perform(request)
      return signed(scene, String(request.body), new Date(Date.now() + 2000))
    },
  }),
  ...turned(400, {
    'Mattermost’s press at Discord’s door, signed': (scene) =>
      signed(scene, String(scene.press('mattermost', 'x', 'admin').body)),
  }),
] satisfies Row[]

const gets = (name: string, body: unknown, request: (scene: Scene) => Interaction): Row => ({
  name,
  outcome: { gets: body },
  request: (scene) => scene.interact(request(scene)),
})
const NOTHING = { type: 8, data: { choices: [] } }
const typing =
  (who: Parameters<Scene['person']>[0], option: string, typed: string, name = 'now') =>
  (scene: Scene): Interaction =>
    scene.app.complete(scene.person(who), name, { [option]: typed }, option)

const machinery: Row[] = [
  gets('a ping that also is a command', { type: 1 }, (scene) => ({ ...command(scene), type: 1 })),
  gets('names for a stranger', NOTHING, typing('stranger', 'instances', '')),
  gets('names for a stranger who knows the beginning', NOTHING, typing('stranger', 'instances', 'vau')),
  gets('names for a viewer, of a command for operators', NOTHING, typing('viewer', 'instances', '')),
  gets('names beyond somebody’s globs', NOTHING, typing('narrow', 'instances', 'vault')),
  gets('names of another project', NOTHING, typing('narrow', 'instances', 'main/fenced/')),
  gets('names for a command that there is not', NOTHING, typing('admin', 'instances', '', 'rm')),
  gets('names for an option that there is not', NOTHING, typing('admin', 'constructor', '')),
  gets('names for a prototype', NOTHING, typing('admin', '__proto__', '')),
  gets('snapshots beyond somebody’s globs', NOTHING, (scene) =>
    scene.app.complete(scene.person('narrow'), 'hold', { instance: 'vault7', snapshot: '' }, 'snapshot'),
  ),
  gets('names for an admin’s id of another guild', NOTHING, (scene) =>
    scene.app.complete(
      scene.person('admin', { team: '4100000000000000002' }),
      'now',
      { instances: '' },
      'instances',
    ),
  ),
]

const STRANGER = /no grant in stapes\.jsonc names you/

const says = (name: string, request: (scene: Scene) => Interaction, text = STRANGER): Row => ({
  name,
  outcome: { says: text },
  request: (scene) => scene.interact(request(scene)),
})
const NO_GUILD = { guild_id: undefined, member: undefined }
const userIn = (scene: Scene, who: 'admin' | 'stranger') => ({
  ...{ id: scene.person(who).user, username: who, global_name: who },
})

const people: Row[] = [
  says('an admin of the guild, in a direct message', (scene) => ({
    ...command(scene),
    ...NO_GUILD,
    user: userIn(scene, 'admin'),
  })),
  says('a stranger, in a direct message', (scene) => ({
    ...command(scene),
    ...NO_GUILD,
    user: userIn(scene, 'stranger'),
  })),
  says('a stranger in the guild, who is an admin beside it', (scene) => ({
    ...scene.app.command(scene.person('stranger'), 'now', { instances: 'web1' }),
    user: userIn(scene, 'admin'),
  })),
  says('a direct message that claims a member', (scene) => ({
    ...command(scene),
    guild_id: undefined,
    user: userIn(scene, 'stranger'),
  })),
  says('a role that has the id of an admin', (scene) =>
    scene.app.command({ ...scene.person('stranger'), roles: [userOf('discord', 'admin')] }, 'now', {
      instances: 'web1',
    }),
  ),
  says('an admin’s id in another guild', (scene) =>
    scene.app.command(scene.person('admin', { team: '4100000000000000009' }), 'now', { instances: 'web1' }),
  ),
  says('an admin’s id with a zero before it', (scene) =>
    scene.app.command(scene.person('admin', { user: `0${userOf('discord', 'admin')}` }), 'now', {
      instances: 'web1',
    }),
  ),
  says('a guild’s id with a zero before it', (scene) =>
    scene.app.command(scene.person('admin', { team: `0${TEAMS.discord}` }), 'now', { instances: 'web1' }),
  ),
  says(
    'a command that only differs by its prototype',
    (scene) => scene.app.command(scene.person('admin'), 'constructor'),
    /no command/,
  ),
  says(
    'an option called __proto__',
    (scene) =>
      JSON.parse(
        JSON.stringify(scene.app.command(scene.person('admin'), 'now', { xx: 'web1' })).replace(
          '"xx"',
          '"__proto__"',
        ),
      ) as Interaction,
    /./,
  ),
  says(
    'an option that the command doesn’t have',
    (scene) => scene.app.command(scene.person('admin'), 'now', { instances: 'web1', force: true }),
    /force/,
  ),
]

export const discordDoor: Row[] = [
  ...discordSignatures,
  ...discordTimestamps,
  ...bodies,
  ...elsewhere,
  ...machinery,
  ...people,
]
