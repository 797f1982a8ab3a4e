/** A policy that is changed in a form. */
import { describe, expect, test } from 'vitest'
import { type Change, changeOf, policiesIn, withChange } from '../../../shared/page/change.ts'

const DOCUMENT = {
  defaults: { remotes: ['main'] },
  policies: {
    daily: { schedule: '@daily', keep: { daily: 7 }, copy: { remote: 'backup' } },
    odd: { schedule: ['0 1 * * *', '0 2 * * *'], expiry: null },
  },
  access: {},
}
const typed = (change: Partial<Change>) => withChange(DOCUMENT, { ...changeOf(DOCUMENT, 'daily'), ...change })

describe('the form', () => {
  test('begins with what the document says', () => {
    expect(policiesIn(DOCUMENT)).toEqual(['daily', 'odd'])
    expect(changeOf(DOCUMENT, 'daily')).toEqual({
      policy: 'daily',
      schedule: '@daily',
      keep: '{"daily":7}',
      expiry: '',
    })
    expect(changeOf(DOCUMENT, 'odd')).toMatchObject({ schedule: '["0 1 * * *","0 2 * * *"]', expiry: 'null' })
  })

  test.for(['daily', 'odd'])('that is sent as it is changes nothing of %s', (policy) => {
    expect(withChange(DOCUMENT, changeOf(DOCUMENT, policy))).toEqual({ ok: true, value: DOCUMENT })
  })

  test('changes only what was typed', () => {
    expect(typed({ keep: '{ daily: 1 }'.replace('daily', '"daily"'), expiry: ' 6m ', schedule: '' })).toEqual(
      {
        ok: true,
        value: {
          ...DOCUMENT,
          policies: {
            ...DOCUMENT.policies,
            daily: { keep: { daily: 1 }, copy: { remote: 'backup' }, expiry: '6m' },
          },
        },
      },
    )
  })

  test('says what can’t be read', () => {
    expect(typed({ keep: 'seven' })).toMatchObject({ ok: false, error: expect.stringMatching(/^keep: /) })
    expect(typed({ schedule: '["a"' })).toMatchObject({
      ok: false,
      error: expect.stringMatching(/^schedule: /),
    })
  })

  test.for(['nobody', 'constructor', '__proto__'])('knows no policy "%s"', (policy) => {
    expect(withChange(DOCUMENT, { policy, schedule: '', keep: '', expiry: '' })).toMatchObject({ ok: false })
    expect(changeOf(DOCUMENT, policy)).toEqual({ policy, schedule: '', keep: '', expiry: '' })
  })

  test.for([undefined, null, [], 'text', { policies: 7 }])('of the document %j has no policy', (document) => {
    expect(policiesIn(document)).toEqual([])
  })
})
