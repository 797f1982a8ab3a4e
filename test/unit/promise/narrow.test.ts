/** The health of one policy or instance leaves out nothing that is wrong with it. */
import { expect, test } from 'vitest'
import { narrowTo } from '../../../shared/promise/verdict.ts'
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
