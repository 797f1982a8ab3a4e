import { expect, test } from 'vitest'
import { requestOf } from '../../../functions/api/read-request.ts'
import { runBody } from '../../../functions/api/requests.ts'

const OF = { instance: 'vm1', snapshot: 'daily-20261122T0300Z' }

test.each([
  ['a restore', { do: 'restore', ...OF }, { do: 'restore', ...OF }],
  ['one with memory', { do: 'restore', ...OF, stateful: true }, { do: 'restore', ...OF, stateful: true }],
  ['one expressly without', { do: 'restore', ...OF, stateful: false }, { do: 'restore', ...OF }],
  [
    'a release, which has nothing to do with memory',
    { do: 'release', ...OF, stateful: true },
    { do: 'release', ...OF },
  ],
])('%s is requested through the API', (_, body, ask) => {
  expect(requestOf(runBody.parse(body))).toEqual({
    ok: true,
    value: { reason: 'requested through the API', ...ask },
  })
})
