/** The health of one policy or instance leaves out nothing that is wrong with it. */
import { describe, expect, test } from 'vitest'
import { narrowTo, textsOf, visibleTo } from '../../../shared/promise/verdict.ts'
import { conditionOf, promisedOf, verdictOf } from '../notify/verdicts.ts'

const COPY = 'backup/default/web'
const kept = { state: 'kept', since: null, reason: null, until: '2026-11-22T20:00:00.000Z' } as const
const both = [promisedOf(kept), promisedOf({ ...kept, kind: 'copy', target: COPY })]
const others = [promisedOf({ ...kept, policy: 'daily', subject: 'main/default/db' })]

test.each([{ policy: 'hourly' }, { subject: 'main/default/web' }, { subject: 'web' }, { subject: COPY }])(
  'what is about the copy is about its source and policy as well: %o',
  (only) => {
    const wrong = conditionOf({
      id: 'brake x',
      kind: 'instance',
      about: COPY,
      text: `${COPY}: nothing expires`,
    })
    const verdict = verdictOf([...both, ...others], [wrong])
    expect(narrowTo(verdict, only)).toMatchObject({ tone: 'bad', conditions: [wrong] })
    expect(narrowTo(verdict, { policy: 'daily' }).tone).toBe('good')
  },
)

describe('whoever may see a source and not its copy', () => {
  const maySee = (key: string): boolean => key === 'main/default/web'

  test('is told that there is something wrong with the copy, in no words of it', () => {
    const text = `${COPY}: ransomware, by what ${COPY} and backup/acme/db show`
    const wrong = conditionOf({ id: `brake ${COPY}`, kind: 'instance', about: COPY, text })
    const other = conditionOf({ id: 'brake y', kind: 'instance', about: 'backup/acme/db', text })
    const seen = visibleTo(verdictOf([...both, ...others], [wrong, other]), maySee)
    expect(seen).toMatchObject({
      tone: 'bad',
      conditions: [{ about: 'main/default/web', severity: 'critical' }],
    })
    expect(textsOf(seen)).toEqual([
      expect.stringMatching(/^the copy of main\/default\/web has a problem .*ask/),
    ])
    expect(JSON.stringify(seen.conditions)).not.toMatch(/backup|ransomware/)
    expect(visibleTo(verdictOf(both, [wrong]), () => true).conditions).toEqual([wrong])
  })

  test('is told of a broken promise, in no words that name others', () => {
    const reason = 'open /var/lib/incus/containers/acme_db: read-only file system'
    const broken = promisedOf({ kind: 'copy', target: COPY, reason })
    expect(textsOf(visibleTo(verdictOf([broken]), maySee))).toEqual([
      expect.stringContaining('ask somebody who may'),
    ])
    expect(JSON.stringify(visibleTo(verdictOf([broken]), maySee))).not.toContain('acme')
    const plain = promisedOf({ kind: 'copy', target: COPY, reason: `No space left on ${COPY}` })
    expect(visibleTo(verdictOf([plain]), maySee).promises).toEqual([plain])
  })
})

test('whoever may see one of many that something is wrong with is told so, in no words that name the others', () => {
  const maySee = (key: string): boolean => key === 'main/default/web'
  const each = ['main/acme/db', 'main/default/web']
  const wrong = conditionOf({
    ...{ id: 'own main', severity: 'warning', kind: 'remote', about: 'main', keys: each, each },
    text: 'Incus itself missed the slot of its own schedule of main/acme/db (and 1 more there)',
  })
  const seen = visibleTo(verdictOf(both, [wrong]), maySee)
  expect(seen).toMatchObject({
    tone: 'warning',
    conditions: [{ kind: 'instance', about: 'main/default/web' }],
  })
  expect(JSON.stringify(seen)).not.toContain('acme')
  const other = conditionOf({ ...wrong, each: ['main/acme/db'] })
  expect(visibleTo(verdictOf(both, [other]), maySee)).toMatchObject({ tone: 'good', conditions: [] })
})
