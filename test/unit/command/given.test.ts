/** What an import may be given, how that is written in a line, and that none of its values stands in a record. */
import { expect, test } from 'vitest'
import { lineOf } from '../../../functions/api/line-of.ts'
import { parseGiven } from '../../../shared/command/given.ts'
import { refuseGiven } from '../../../shared/incus/given.ts'

test('is read from words', () => {
  expect(
    parseGiven({
      profiles: 'default web',
      config: 'limits.cpu=2 user.a=b=c',
      devices: 'eth0,type=nic,network=br1 eth1,type=none',
    }),
  ).toEqual({
    ok: true,
    value: {
      profiles: ['default', 'web'],
      config: { 'limits.cpu': '2', 'user.a': 'b=c' },
      devices: { eth0: { type: 'nic', network: 'br1' }, eth1: { type: 'none' } },
    },
  })
  expect(parseGiven({})).toEqual({ ok: true, value: undefined })
})

test.each([
  [{ config: 'limits.cpu' }, /^config: expected keys/],
  [{ config: '=2' }, /^config: expected keys/],
  [{ devices: 'eth0' }, /^devices: expected names/],
  [{ devices: 'type=nic,network=br1' }, /^devices: expected names/],
  [{ devices: 'eth0,nic' }, /^devices: expected names/],
  [{ config: 'raw.lxc=x' }, /is not given raw.lxc/],
])('%j is none', (values, why) => {
  expect(parseGiven(values)).toMatchObject({ ok: false, error: expect.stringMatching(why) })
})

test.each([
  'raw.lxc',
  'raw.qemu',
  'security.privileged',
  'security.syscalls.intercept.mount',
  'linux.kernel_modules',
  'security.syscalls.deny_default',
  'security.bpffs.delegate_cmds',
  'security.selinux.domain',
  'user.stapes.exclude',
  'boot.autostart',
  'snapshots.schedule',
  'volatile.idmap.next',
  'security.protection.delete',
])('%s is given to none', (key) => {
  expect(refuseGiven({ config: { [key]: 'true' } })).toContain(`is not given ${key}`)
})

test.each([
  { type: 'disk', source: '/', path: '/mnt' },
  { type: 'disk', pool: 'default', source: 'data', path: '/mnt' },
  { type: 'unix-char', path: '/dev/kvm' },
  { type: 'nic', nictype: 'macvlan', parent: 'eth0' },
  { type: 'nic', network: 'br1', parent: 'eth0' },
  { type: 'nic', network: 'br1', host_name: 'docker0' },
  { type: 'nic', network: 'br1', 'ipv4.routes.external': '0.0.0.0/0' },
  { type: 'nic', network: 'br1', 'vlan.tagged': '10' },
  { type: 'nic', network: 'br1', 'acceleration.parent': 'eth0' },
  { type: 'nic', network: 'br1', 'ipv4.host_tables': '100' },
  { type: 'nic', network: 'br1', nested: 'eth0' },
  { type: 'nic' },
  {},
])('no device is %j', (device) => {
  expect(refuseGiven({ devices: { d: device } })).toContain('is not given the device d')
})

test('a card of a network may be given with its addresses, and any other key', () => {
  const card = { type: 'nic', network: 'br1', hwaddr: '00:16:3e:00:00:01', 'ipv4.address': '10.0.0.5' }
  expect(refuseGiven({ config: { 'limits.cpu': '2', 'user.a': 'b' }, devices: { eth0: card } })).toBeNull()
})

test('stands in a record by its names alone', () => {
  const line = lineOf({
    ...{ do: 'import', instance: 'web1', from: 'nas', as: 'old', reason: '' },
    given: {
      profiles: ['default'],
      config: { 'environment.TOKEN': 'secret' },
      devices: { eth0: { type: 'none' } },
    },
  })
  expect(line).toContain('--profiles=default')
  expect(line).toContain('environment.TOKEN=…')
  expect(line).toContain('eth0=…')
  expect(line).not.toContain('secret')
})
