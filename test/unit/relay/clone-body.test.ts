import { describe, expect, test } from 'vitest'
import { cloneBody, differencesOf, lastingConfig } from '../../../relay/engine/steps/clone-body.ts'
import { creationCalls } from '../../../relay/engine/steps/clone-calls.ts'
import { parseSource, type SourceDetails } from '../../../shared/incus/source.ts'
import type { Cloning } from '../../../shared/relay/steps.ts'

const cloning: Cloning = {
  from: { remote: 'main', project: 'default', instance: 'web' },
  snapshot: 's1',
  to: { remote: 'main', project: 'default', instance: 'old' },
  ...{ whole: false, start: false, pool: null, transferMode: 'pull' },
}
const LAN = { type: 'nic', network: 'lan', 'ipv4.address': '10.0.0.5', 'ipv6.routes': 'fd00::/64' }

function detailsOf(more: object): SourceDetails {
  const parsed = parseSource({ architecture: 'x86_64', type: 'container', ...more }, [])
  if (!parsed.ok) throw new Error(parsed.error)
  return parsed.value
}

type Body = { config: Record<string, string>; devices: Record<string, object> }
const bodyOf = (wanted: Cloning, details: SourceDetails, inherited = details): Body =>
  cloneBody(wanted, { details, inherited }, 'the mark') as Body

describe('a new instance', () => {
  test('gets NICs without addresses, also those of profiles, and says which', () => {
    const details = detailsOf({ expanded_devices: { eth0: LAN, eth1: { type: 'nic', network: 'dmz' } } })
    expect(bodyOf(cloning, details).devices).toEqual({ eth0: { type: 'nic', network: 'lan' } })
    expect(differencesOf(cloning, details).join()).toContain(
      'eth0.ipv4.address=10.0.0.5, eth0.ipv6.routes=fd00::/64',
    )
    expect(bodyOf({ ...cloning, whole: true }, details).devices).toEqual({})
  })

  test('names what a local copy would inherit and it must not have, and nothing of it where it is sent', () => {
    const config = { 'user.stapes.verified': 'x', 'raw.lxc': 'y', 'volatile.uuid': 'z', 'user.a': 'b' }
    const devices = { data: { type: 'disk', pool: 'p', source: 'v', path: '/data' } }
    const local = bodyOf(cloning, detailsOf({ config, devices }))
    expect(local.config).toEqual({
      ...{ 'user.a': 'b', 'user.stapes.verified': '', 'raw.lxc': '' },
      ...{ 'boot.autostart': 'false', 'snapshots.schedule': '@never', 'snapshots.expiry': '' },
      'user.stapes.restoring-as': 'the mark',
    })
    expect(local.devices).toEqual({ data: { type: 'none' } })
    const remote = { ...cloning, from: { ...cloning.from, remote: 'backup' } }
    const sent = bodyOf(remote, detailsOf({ config, devices }))
    expect(Object.keys(sent.config)).not.toContain('raw.lxc')
    expect(sent.devices).toEqual({})
  })

  test('that comes back from a copy on the same server is copied with all snapshots, without the copy’s marks', () => {
    const from = { ...cloning.from, project: 'copies' }
    const back = { ...cloning, whole: true, to: cloning.from, from }
    const copy = detailsOf({
      config: { 'user.stapes.replica-of': 'main/default/web', 'user.stapes.owner': 'x' },
    })
    const { config } = bodyOf(back, detailsOf({ config: { 'user.stapes.hold.s1': 'audit' } }), copy)
    expect(config).toMatchObject({
      ...{ 'user.stapes.hold.s1': 'audit', 'user.stapes.replica-of': '', 'user.stapes.owner': '' },
    })
    const [call] = creationCalls(back, {})
    expect(call?.body).toEqual({ source: { type: 'copy', source: 'web', project: 'copies' } })
  })

  test('gets autostart, schedule and protection once it is whole, as its original had them', () => {
    const details = detailsOf({
      config: {
        ...{ 'boot.autostart.delay': '5', 'snapshots.pattern': 'x', 'security.protection.delete': 'true' },
      },
    })
    const plain = {
      ...{ 'boot.autostart': '', 'snapshots.schedule': '', 'snapshots.expiry': '' },
      ...{ 'boot.autostart.delay': '5', 'snapshots.pattern': 'x' },
    }
    expect(lastingConfig(cloning, details)).toEqual(plain)
    expect(lastingConfig({ ...cloning, whole: true }, details)).toEqual({
      ...{ ...plain, 'security.protection.delete': 'true' },
    })
  })
})
