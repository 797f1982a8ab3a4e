/** What the API says of taking something back. */
import { expect, test } from 'vitest'
import { inApi } from '../../../functions/api/in-api.ts'

test.each([
  [
    'until then /backup undo web1 manual-20261122T0300Z takes that back',
    'until then POST /api/run with {"do":"undo","instance":"web1","snapshot":"manual-20261122T0300Z"} takes that back',
  ],
  [
    'kept: /backup restore default:data before-restore-20261122T0300Z brings it back',
    'kept: POST /api/run with {"do":"restore","instance":"default:data","snapshot":"before-restore-20261122T0300Z"} brings it back',
  ],
  ['see /backup status', 'see /backup status'],
])('%j is a request there, where it is one', (text, said) => {
  expect(inApi(text)).toBe(said)
})
