/** Profiles and projects on the target: what would be otherwise there, and what Incus would refuse. */
import { describe, expect, test } from 'vitest'
import { fitOf } from '../../../relay/engine/steps/copy-fit.ts'
import { parseProfiles } from '../../../shared/incus/profiles.ts'
import type { ProjectRules } from '../../../shared/incus/project-rules.ts'
import type { SourceDetails } from '../../../shared/incus/source.ts'

const ROOT = { root: { type: 'disk', path: '/', pool: 'default' } }
const profile = (name: string, config: object = {}, devices: object = ROOT) => ({ name, config, devices })

type Given = {
  source?: Partial<SourceDetails>
  there?: unknown
  rules?: ProjectRules
  first?: boolean
  pool?: string | null
}

function judge({ source, there = [profile('default')], rules, first = true, pool = null }: Given) {
  const details: SourceDetails = {
    ...{
      architecture: 'x86_64',
      type: 'virtual-machine',
      contentType: '',
      uuid: null,
      description: '',
      location: 'none',
    },
    ...{
      profiles: ['default'],
      config: {},
      expanded: {},
      devices: {},
      expandedDevices: {},
      rootDevice: 'root',
      root: {},
      snapshots: [],
    },
    ...source,
  }
  const target = { remote: 'backup', project: 'prod', instance: 'web1' }
  return fitOf({ target, first, pool }, details, parseProfiles(there), rules)
}

const FINE = { refusal: null, warnings: [] }

describe('a copy', () => {
  test('whose profiles say the same there needs no word', () => {
    const expanded = { 'limits.memory': '1GiB', 'user.tier': 'gold', 'volatile.uuid': 'x' }
    expect(judge({ source: { expanded }, there: [profile('default', { 'limits.memory': '1GiB' })] })).toEqual(
      FINE,
    )
  })

  test('is warned of where they decide otherwise whether it boots', () => {
    const { warnings } = judge({ source: { expanded: { 'security.secureboot': 'false' } } })
    expect(warnings).toEqual([
      'its profiles differ on backup: security.secureboot is false on the source and not set there; a copy that is started uses the value there',
    ])
    expect(judge({ there: [profile('default', { 'limits.cpu': '1' })] }).warnings).toEqual([
      expect.stringContaining('limits.cpu is not set on the source and 1 there'),
    ])
  })

  test('that says it itself brings it along', () => {
    const own = { 'security.secureboot': 'false' }
    expect(judge({ source: { config: own, expanded: own } })).toEqual(FINE)
  })

  test('has the last of its profiles’ words there as here', () => {
    const there = [profile('default', { 'limits.cpu': '1' }), profile('big', { 'limits.cpu': '8' }, {})]
    const source = { profiles: ['default', 'big'], expanded: { 'limits.cpu': '8' } }
    expect(judge({ source, there })).toEqual(FINE)
  })

  test('without one of its profiles there is not tried, but refreshed', () => {
    const source = { profiles: ['default', 'gold'] }
    expect(judge({ source }).refusal).toBe(
      'project prod on backup has no profile gold: create it there, or say which the copy has ("copy.profiles")',
    )
    expect(judge({ source, first: false })).toEqual(FINE)
  })

  test('for which no root disk stands there is told, unless the policy or the instance names its pool', () => {
    const there = [profile('default', {}, {})]
    expect(judge({ there }).warnings).toEqual([expect.stringContaining('set "copy.pool"')])
    expect(judge({ there, pool: 'big' })).toEqual(FINE)
    expect(judge({ there, source: { devices: ROOT } })).toEqual(FINE)
    expect(judge({ there, first: false })).toEqual(FINE)
  })

  test.each([null, {}, [{ name: 1 }]])('is tried where the profiles can’t be read: %j', (there) => {
    expect(judge({ there, source: { profiles: ['gold'] }, rules: { 'limits.cpu': '1' } })).toEqual(FINE)
  })
})

describe('a project that limits in all', () => {
  test.each(['limits.memory', 'limits.cpu', 'limits.processes'])('%s wants one of each instance', (key) => {
    const rules = { [key]: '8' }
    expect(judge({ rules }).refusal).toBe(
      `project prod on backup has a total limit for ${key}, so Incus wants a limit on each instance there: set one on the instance, or in a profile there`,
    )
    expect(judge({ rules, source: { config: { [key]: '1' }, expanded: { [key]: '1' } } })).toEqual(FINE)
    expect(judge({ rules, first: false })).toEqual(FINE)
    expect(judge({ rules, there: [profile('default', { [key]: '1' })] }).refusal).toBeNull()
  })

  test('its disk wants a size on the root disk', () => {
    const rules = { 'limits.disk': '10GiB' }
    expect(judge({ rules }).refusal).toContain('has a total limit for disk (the root disk’s size)')
    const there = [profile('default', {}, { root: { ...ROOT.root, size: '1GiB' } })]
    expect(judge({ rules, there })).toEqual(FINE)
  })
})
