import { expect, test } from 'vitest'
import { allowBody, allowRoute } from '../../../relay/engine/allow.ts'

function verdict(method: string, path: string, body?: unknown): string {
  const route = allowRoute(method, path)
  if (!route.ok) return route.error.code
  const allowed = allowBody(route.value, body)
  return allowed.ok ? 'allowed' : allowed.error.code
}

const copy = { source: { type: 'migration', mode: 'pull' } }

const rows: { name: string; call: [string, string, unknown?]; is: 'allowed' | 'not-allowed' }[] = [
  { name: 'a listing', call: ['GET', '/1.0/instances?recursion=1'], is: 'allowed' },
  { name: 'a snapshot', call: ['POST', '/1.0/instances/web/snapshots', { name: 's' }], is: 'allowed' },
  { name: 'the target of a copy', call: ['POST', '/1.0/instances', copy], is: 'allowed' },
  {
    name: 'a new instance',
    call: ['POST', '/1.0/instances', { source: { type: 'none' } }],
    is: 'not-allowed',
  },
  { name: 'a command in an instance', call: ['POST', '/1.0/instances/web/exec', {}], is: 'not-allowed' },
  { name: 'trust for another', call: ['POST', '/1.0/certificates', {}], is: 'not-allowed' },
  { name: 'a query that the route lacks', call: ['GET', '/1.0/instances?filter=x'], is: 'not-allowed' },
  { name: 'a hidden slash', call: ['GET', '/1.0/instances/a%2f..%2fb'], is: 'not-allowed' },
  {
    name: 'a body where none belongs',
    call: ['DELETE', '/1.0/instances/web', { force: true }],
    is: 'not-allowed',
  },
  { name: 'a missing body', call: ['POST', '/1.0/instances/web/snapshots'], is: 'not-allowed' },
  {
    name: 'a restore',
    call: ['PUT', '/1.0/instances/web', { restore: 's', stateful: false }],
    is: 'allowed',
  },
  {
    name: 'a restore with its memory',
    call: ['PUT', '/1.0/instances/web', { restore: 's', stateful: true }],
    is: 'allowed',
  },
  {
    name: 'a restore that leaves open whether with memory',
    call: ['PUT', '/1.0/instances/web', { restore: 's' }],
    is: 'not-allowed',
  },
  {
    name: 'a restore that changes the config too',
    call: ['PUT', '/1.0/instances/web', { restore: 's', stateful: false, config: {} }],
    is: 'not-allowed',
  },
  {
    name: 'a change of the whole instance',
    call: ['PUT', '/1.0/instances/web', { config: {} }],
    is: 'not-allowed',
  },
  { name: 'a start', call: ['PUT', '/1.0/instances/web/state', { action: 'start' }], is: 'allowed' },
  { name: 'a thaw', call: ['PUT', '/1.0/instances/web/state', { action: 'unfreeze' }], is: 'allowed' },
  { name: 'a stop', call: ['PUT', '/1.0/instances/web/state', { action: 'stop' }], is: 'not-allowed' },
  {
    name: 'a start by force',
    call: ['PUT', '/1.0/instances/web/state', { action: 'start', force: true }],
    is: 'not-allowed',
  },
  { name: 'a look at a pool', call: ['GET', '/1.0/storage-pools/default'], is: 'allowed' },
  {
    name: 'a key in another case, which Incus would read instead',
    call: ['POST', '/1.0/instances', { ...copy, Source: { type: 'image' } }],
    is: 'not-allowed',
  },
  {
    name: 'such a key further in',
    call: ['POST', '/1.0/instances', { source: { type: 'migration', TYPE: 'image' } }],
    is: 'not-allowed',
  },
  {
    name: 'such a key with a long s, which Go takes for an s',
    call: ['POST', '/1.0/instances', { ...copy, ſource: { type: 'image' } }],
    is: 'not-allowed',
  },
  {
    name: 'an instance with environment keys that differ in case alone',
    call: ['POST', '/1.0/instances', { ...copy, config: { 'environment.a': '1', 'environment.A': '2' } }],
    is: 'allowed',
  },
  {
    name: 'one with devices, and settings of a device, that do',
    call: ['POST', '/1.0/instances', { ...copy, devices: { a: { 'user.k': '1', 'user.K': '2' }, A: {} } }],
    is: 'allowed',
  },
  {
    name: 'one with secrets of a migration that do',
    call: ['POST', '/1.0/instances', { source: { ...copy.source, secrets: { a: '1', A: '2' } } }],
    is: 'allowed',
  },
  {
    name: 'a map of another name, which Incus would read instead',
    call: ['POST', '/1.0/instances', { ...copy, config: {}, Config: {} }],
    is: 'not-allowed',
  },
  {
    name: 'keys that differ in case inside a device that is no map of Incus’s',
    call: ['POST', '/1.0/instances', { ...copy, devices: { a: { b: { c: '1', C: '2' } } } }],
    is: 'not-allowed',
  },
  {
    name: 'a config of another field than the body’s',
    call: ['POST', '/1.0/instances', { source: { ...copy.source, config: { a: '1', A: '2' } } }],
    is: 'not-allowed',
  },
]

test.each(rows)('$name is $is', ({ call, is }) => {
  expect(verdict(...call)).toBe(is)
})
