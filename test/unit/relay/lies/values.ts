import {
  INSTANCES,
  instance,
  POOL,
  PROJECTS,
  SERVER,
  says,
  sends,
  server,
  VOLUMES,
  volume,
  writes,
} from '../lying-server.ts'
import { asText, head, LONE, MB, type Told } from './told.ts'

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

export const VALUES: Record<string, Told> = {
  'instances that are an object': { lie: { [INSTANCES]: says({ web: instance() }) }, known: 'nothing' },
  'instances that are numbers': { lie: { [INSTANCES]: says([1, 2, 3]) }, known: 'nothing' },
  'an instance whose fields are of other types': {
    lie: {
      [INSTANCES]: says([
        instance({
          status: 7,
          location: [],
          config: [],
          expanded_config: 'x',
          expanded_devices: { root: null },
        }),
      ]),
    },
    known: 'less',
  },
  'an instance of no type': {
    lie: { [INSTANCES]: says([instance({ type: 'constructor' })]) },
    known: 'nothing',
  },
  'an instance twice': {
    lie: { [INSTANCES]: says([instance(), instance({ status: 'Stopped' })]) },
    known: 'less',
    why: /lists it twice/,
  },
  'a snapshot twice': {
    lie: { [VOLUMES]: says([volume('web'), volume('web/s1'), volume('web/s1', '2026-11-23T00:00:00Z')]) },
    known: 'less',
    why: /a snapshot of it twice/,
  },
  'snapshots as an object': {
    lie: {
      [SERVER]: says({ ...server(), api_extensions: ['storage_volume_full'] }),
      [VOLUMES.replace('recursion=1', 'recursion=2')]: says([{ ...volume('web'), snapshots: { s1: {} } }]),
    },
    known: 'less',
  },
  'a snapshot of the year 1': {
    lie: { [VOLUMES]: says([volume('web'), volume('web/s1', '0001-01-01T00:00:00Z')]) },
    known: 'less',
  },
  'a snapshot of a year with five digits': {
    lie: { [VOLUMES]: says([volume('web'), volume('web/s1', '+275760-09-13T00:00:00Z')]) },
    known: 'less',
  },
  'a snapshot of no date': {
    lie: { [VOLUMES]: says([volume('web'), volume('web/s1', 'NaN')]) },
    known: 'less',
  },
  'a snapshot of a number as its date': {
    lie: {
      [VOLUMES]: writes(
        `[${asText(volume('web'))},${asText(volume('web/s1', 0)).replace(':0}', ':1e400}')}]`,
      ),
    },
    known: 'less',
  },
  'keys that are members of every object': {
    lie: {
      [INSTANCES]: writes(
        `[${asText(instance()).replace('"config":{}', '"config":{"__proto__":{"volatile.uuid":"x"}},"__proto__":{"name":"db"}')}]`,
      ),
      [PROJECTS]: writes(
        '[{"name":"default","config":{"__proto__":{"restricted":"true"}}},{"name":"__proto__"}]',
      ),
    },
    known: 'all',
  },
  'an envelope nested a million deep': { lie: { [PROJECTS]: writes(nested(1_000_000)) }, known: 'nothing' },
  'an instance nested a million deep': {
    lie: {
      [INSTANCES]: writes(
        `[${asText(instance()).replace('"config":{}', `"config":{"user.x":${nested(1_000_000)}}`)}]`,
      ),
    },
    known: 'all',
  },
  'another server’s fingerprint and certificate': {
    lie: { [SERVER]: says(server({ certificate_fingerprint: 'cd34', certificate: 'x'.repeat(MB) })) },
    known: 'all',
  },
  'a fingerprint of half a character': {
    lie: { [SERVER]: writes(asText(server()).replace('"ab12"', `"${LONE}"`)) },
    known: 'nothing',
  },
  'a version of 5 MB': {
    lie: { [SERVER]: says(server({ server_version: '6'.repeat(5 * MB) })) },
    known: 'all',
  },
  'to be another product, in colours': {
    lie: { [SERVER]: says(server({ server: `\u001b[31mlxd${'d'.repeat(MB)}` })) },
    known: 'nothing',
    why: /is not Incus/,
  },
  'a driver of 5 MB': { lie: { [POOL]: says({ driver: 'b'.repeat(5 * MB) }) }, known: 'all' },
  'a clock in the year 9999': {
    lie: {
      [SERVER]: sends(
        head(`date: Fri, 31 Dec 9999 23:59:59 GMT\r\nconnection: close\r\n`),
        JSON.stringify({ type: 'sync', metadata: server() }),
      ),
    },
    known: 'all',
  },
  'a clock in the year 1': {
    lie: {
      [SERVER]: sends(
        head(`date: Mon, 01 Jan 0001 00:00:00 GMT\r\nconnection: close\r\n`),
        JSON.stringify({ type: 'sync', metadata: server() }),
      ),
    },
    known: 'all',
  },
}
