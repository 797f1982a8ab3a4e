import { INSTANCES, instance, OPERATIONS, PROJECTS, says, VOLUMES, volume, writes } from '../lying-server.ts'
import { asText, LONE, MB, named, type Told } from './told.ts'

const operation = (more: object): object => ({
  running: [{ id: 'op7', status_code: 103, description: 'Snapshotting', resources: {}, ...more }],
})

export const NAMES: Record<string, Told> = {
  'an instance whose name is half a character': {
    lie: { [INSTANCES]: writes(`[${named(LONE)}]`) },
    known: 'others',
  },
  'an instance called by a terminal’s escape': {
    lie: { [INSTANCES]: says([instance({ name: '\u001b[2J\u001b]0;owned\u0007' })]) },
    known: 'others',
  },
  'an instance called by dots': { lie: { [INSTANCES]: says([instance({ name: '..' })]) }, known: 'others' },
  'an instance whose name climbs': {
    lie: { [INSTANCES]: says([instance({ name: '../../1.0/instances/db' })]) },
    known: 'others',
  },
  'an instance with a name of 10 MB': {
    lie: { [INSTANCES]: says([instance({ name: 'x'.repeat(10 * MB) })]) },
    known: 'others',
  },
  'a name that turns the writing direction': {
    lie: { [INSTANCES]: says([instance({ name: 'web\u202e' })]) },
    known: 'others',
  },
  'an instance in a project of half a character': {
    lie: { [INSTANCES]: writes(`[${asText(instance()).replace('"default"', `"${LONE}"`)}]`) },
    known: 'others',
  },
  'a project of half a character': {
    lie: { [PROJECTS]: writes(`[{"name":"default"},{"name":"${LONE}"}]`) },
    known: 'all',
  },
  'a pool called by half a character': {
    lie: { [INSTANCES]: writes(`[${asText(instance()).replace('"fast"', `"${LONE}"`)}]`) },
    known: 'less',
    why: /no name of a pool/,
  },
  'a snapshot of half a character': {
    lie: {
      [VOLUMES]: writes(
        `[${asText(volume('web'))},${asText(volume('web/x')).replace('web/x', `web/${LONE}`)}]`,
      ),
    },
    known: 'less',
    why: /name no request can have/,
  },
  'a snapshot’s name of 1 MB': {
    lie: { [VOLUMES]: says([volume('web'), volume(`web/${'s'.repeat(MB)}`)]) },
    known: 'less',
  },
  'an operation whose id is half a character': {
    lie: { [OPERATIONS]: writes(`{"running":[{"id":"${LONE}","status_code":103}]}`) },
    known: 'nothing',
  },
  'an operation whose id climbs': {
    lie: { [OPERATIONS]: says(operation({ id: '../../1.0' })) },
    known: 'nothing',
  },
  'an operation on things of 5 MB': {
    lie: {
      [OPERATIONS]: says(operation({ resources: { instances: [`/1.0/instances/${'x'.repeat(5 * MB)}`] } })),
    },
    known: 'nothing',
  },
}
