/** What jobs do to one instance that get into each other's way, by whoever does them. */
import { expect, test } from 'vitest'
import { type Activity, createBusy } from '../../../relay/engine/busy.ts'

const WEB = 'main/default/web'
const ACTIVITIES: Activity[] = ['sends', 'receives', 'loses', 'restores']

test.each(ACTIVITIES.flatMap((first) => ACTIVITIES.map((second) => [first, second] as const)))(
  'while one job %s, another that %s has to wait, unless both remove',
  (first, second) => {
    const busy = createBusy()
    expect(busy.begin({ id: 'one' }, WEB, first)).toBeNull()
    const said = busy.begin({ id: 'two' }, WEB, second)
    const mayBoth = first === 'loses' && second === 'loses'
    expect(said === null).toBe(mayBoth)
    if (said === null) return
    expect(said).toMatchObject({ code: 'locked', message: expect.stringContaining('job "one"') })
    expect(said.message).toContain(WEB)
  },
)

test('it goes by the job, not by its id, and ends with it', () => {
  const busy = createBusy()
  const [job, alike] = [{ id: 'same' }, { id: 'same' }]
  expect(busy.begin(job, WEB, 'sends')).toBeNull()
  expect(busy.begin(job, WEB, 'loses')).toBeNull()
  expect(busy.begin(alike, WEB, 'receives')).toMatchObject({ code: 'locked' })
  busy.end(alike)
  expect(busy.begin(alike, WEB, 'receives')).toMatchObject({ code: 'locked' })
  expect(busy.begin(alike, 'main/default/db', 'receives')).toBeNull()
  busy.end(job)
  expect(busy.begin(alike, WEB, 'receives')).toBeNull()
})
