/** What the relay remembers of groups, and whom it keeps from what. */
import { expect, test } from 'vitest'
import { createGroups, ENDING, type Group } from '../../../relay/engine/groups.ts'
import { createJournal } from '../../../relay/engine/journal.ts'
import { createSeal } from '../../../relay/engine/seal.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { createVirtualClock } from './virtual-clock.ts'

const web = { remote: 'main', project: 'default', instance: 'web' }
const data = { ...web, instance: 'default:data' }
const GROUP: Group = { snapshot: 'hourly-20261120T0100Z', members: [web, data], paused: [web], since: 5 }
const FAILED: CallError = { code: 'unreachable', message: 'gone' }

function begin() {
  const clock = createVirtualClock()
  const journal = createJournal(clock)
  const asked: string[] = []
  let end: (error: CallError | null) => void = () => {}
  const groups = createGroups(
    { seal: createSeal('secret'), journal, clock },
    {
      undo: ({ snapshot }) => {
        asked.push(snapshot)
        return new Promise((resolve) => {
          end = resolve
        })
      },
      resume: async () => ({ ok: true, value: null }),
    },
  )
  const settle = async (error: CallError | null) => {
    end(error)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { journal, groups, asked, settle }
}

test('what one job takes no other takes, nor removes, until it is released', () => {
  const { groups } = begin()
  const [one, other] = [{ id: 'a' }, { id: 'a' }]
  expect(groups.claim(one, GROUP, true)).toBeNull()
  expect(groups.claim(other, { snapshot: 'hourly-20261120T0200Z', members: [data] }, false)?.code).toBe(
    'locked',
  )
  const takes = [other, one, ENDING].map((by) => groups.isTaking(data, GROUP.snapshot, by))
  expect(takes).toEqual([true, false, false])
  groups.release(one)
  expect(groups.claim(other, GROUP, true)).toBeNull()
})

test('while what was left of one is removed, nothing of it is taken; what can’t be removed is told, and tried again', async () => {
  const { groups, journal, asked, settle } = begin()
  expect(groups.begin(GROUP)).toBe(true)
  expect(groups.left('main')).toEqual([
    'default/web/hourly-20261120T0100Z',
    'default/default:data/hourly-20261120T0100Z',
  ])
  const undone = groups.undo(GROUP)
  expect(groups.claim({ id: 'a' }, GROUP, true)?.message).toContain('what an earlier try has left is removed')
  await settle(FAILED)
  expect(await undone).toBe(FAILED)
  const inventory = { instances: [], operations: [] } as never
  const told = groups.sweep('main', inventory)
  expect(told.leftovers?.[0]).toMatch(/could not be ended;.*incus resume web\. The answer was: gone$/)
  await settle(null)
  expect([...journal.groups().keys()]).toEqual([])
  expect(asked).toHaveLength(2)
  expect(groups.claim({ id: 'a' }, GROUP, true)).toBeNull()
})
