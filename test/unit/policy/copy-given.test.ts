/** What a policy may say of a new copy. */
import { expect, test } from 'vitest'
import { parseConfig } from '../../../shared/policy/parse.ts'

const parse = (copy: object, more: object = {}) =>
  parseConfig({
    policies: {
      daily: { remotes: ['main'], schedule: '@daily', copy: { remote: 'backup', ...copy } },
      ...more,
    },
  })

test('its profiles, config and networks are kept as they are said', () => {
  const given = { profiles: [], config: { 'limits.memory': '1GiB' }, devices: { eth0: { type: 'none' } } }
  const parsed = parse(given)
  expect(parsed.ok && parsed.value.policies[0]?.copy?.given).toEqual(given)
  const silent = parse({})
  expect(silent.ok && silent.value.policies[0]?.copy).not.toHaveProperty('given')
})

test.each([
  [{ config: { 'raw.lxc': 'x' } }, /reaches no host/],
  [{ config: { 'security.privileged': 'true' } }, /reaches no host/],
  [{ config: { 'user.stapes.replica-of': 'x' } }, /reaches no host/],
  [{ config: { 'boot.autostart': 'true' } }, /reaches no host/],
  [{ devices: { host: { type: 'disk', source: '/', path: '/x' } } }, /"nic" or "none"/],
  [{ profiles: ['a b'] }, /without spaces/],
])('%j is refused', (copy, why) => {
  const parsed = parse(copy)
  expect(parsed.ok ? '' : parsed.error.map(({ message }) => message).join('\n')).toMatch(why)
})

test('policies that copy the same instances there have to agree', () => {
  const hourly = { remotes: ['main'], schedule: '@hourly', copy: { remote: 'backup', profiles: ['b'] } }
  const parsed = parse({ profiles: ['a'] }, { hourly })
  expect(parsed.ok ? '' : parsed.error[0]?.message).toMatch(/the same "profiles", "config" and "devices"/)
})
