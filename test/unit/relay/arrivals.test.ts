/** Whose success counts for what a transfer brought. */
import { expect, test } from 'vitest'
import { createEngine } from '../../../relay/engine/engine.ts'
import { isObject } from '../../../relay/engine/envelope.ts'
import { subjectKey } from '../../../shared/incus/subject.ts'
import { REPLICA_OF, VERIFIED } from '../../../shared/policy/marks.ts'
import type { BatchLine } from '../../../shared/relay/protocol.ts'
import type { Step } from '../../../shared/relay/steps.ts'
import { rowOf } from './copying.ts'
import { createFakeIncus, sync } from './fake-incus.ts'
import { copyStep, INSTANCE } from './steps.ts'
import { createVirtualClock } from './virtual-clock.ts'

const OLD = rowOf('daily-20261121T0300Z')
const NEW = rowOf('daily-20261122T0300Z')
const secondsOf = ({ created_at }: { created_at: string }): number => Date.parse(created_at) / 1000
const TRANSFER = { id: `${NEW.name}#0`, from: secondsOf(OLD), names: [] }
const REFRESH = copyStep('web1', { first: false, transfer: TRANSFER, listed: [OLD.name] })
const { source, target } = REFRESH
const CREATED = { instances: ['/1.0/instances/web1'] }
const VERIFY: Step = {
  ...{ do: 'verify', source, target, marks: [[NEW.name, secondsOf(NEW)]], rest: [] },
  ...{ expiries: [], restore: [], protect: false, owner: '1.n.k' },
}

/** An operation of a first transfer of another id, by the caller's word that of the last one. */
const ADOPT = [
  {
    id: `${subjectKey(source)}>${subjectKey(target)}:${TRANSFER.id}`,
    ...{ remote: target.remote, operation: 'op2' },
  },
]

test.each<[string, string[], boolean, { other?: true; adopt?: typeof ADOPT }]>([
  ['is verified after a success', [''], true, {}],
  ['is not, where a later transfer of the same id failed', ['', 'Failed: EOF'], false, {}],
  [
    'is not, where the success of an earlier one is given for its own',
    ['', 'Failed: EOF'],
    false,
    { other: true, adopt: ADOPT },
  ],
])('what a transfer brought %s', async (_, ends, isVerified, { other, adopt }) => {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const config: Record<string, string> = {
    [REPLICA_OF]: 'main/default/web1',
    [VERIFIED]: `${OLD.name}@${secondsOf(OLD)}`,
  }
  let [onCopy, error] = [[OLD], '']
  incus.answer = (remote, { method, path, body }) => {
    if (path === '/1.0') return sync({ auth: 'trusted', environment: { certificate: 'PEM' } })
    if (method === 'PATCH') Object.assign(config, (body as { config?: object }).config)
    if (method !== 'GET')
      return method === 'PATCH' ? sync({}) : incus.operation({ after: 1000, secrets: {}, error })
    if (path.startsWith('/1.0/profiles') || path.startsWith('/1.0/operations?')) return sync({})
    const [rows, marks] = remote === 'main' ? [[OLD, NEW], {}] : [onCopy, config]
    return path.includes('/snapshots?')
      ? sync(rows)
      : sync({ ...INSTANCE, config: marks, expanded_config: marks })
  }
  const remotes = {
    main: { address: 'https://main', role: 'source' },
    backup: { address: 'https://backup', role: 'target' },
  } as const
  const plain = incus.request
  incus.request = async (remote, wanted, timeout) => {
    const reply = await plain(remote, wanted, timeout)
    const { metadata } = reply.ok && isObject(reply.body) ? reply.body : {}
    if (wanted.path.startsWith('/1.0/operations/op') && isObject(metadata))
      Object.assign(metadata, { description: 'Creating instance', resources: CREATED })
    return reply
  }
  const engine = createEngine({ upstream: incus, clock, remotes, secret: 's' })
  const perform = async (step: Step): Promise<string> => {
    const lines: BatchLine[] = []
    await clock.until(engine.batch({ jobs: [{ id: 'j', steps: [step] }] }, (line) => lines.push(line)))
    return JSON.stringify(lines)
  }
  for (const [at, end] of ends.entries()) {
    error = end
    const transfer = { ...TRANSFER, id: other === true && at === 0 ? 'other#0' : TRANSFER.id }
    expect(await perform({ ...REFRESH, transfer })).toContain(`"ok":${end === ''}`)
  }
  if (adopt !== undefined) {
    const { jobs } = await clock.until(engine.inventory({ remotes: [], adopt }))
    expect(jobs).toMatchObject([{ state: 'done' }])
  }
  onCopy = [OLD, NEW]
  const said = await perform(VERIFY)
  expect(said).toContain(isVerified ? '"ok":true' : 'no transfer is known to have brought')
  expect(config[VERIFIED]?.includes(NEW.name)).toBe(isVerified)
})
