/** What is told of each snapshot of an instance: who made it, when it ends, its size, and why it stays. */
import { expect, test } from 'vitest'
import { look } from '../../functions/run.ts'
import { snapshotsOf } from '../../functions/snapshots.ts'
import { readConfig } from '../../functions/state/config.ts'
import { list } from '../../shared/command/commands/list.ts'
import { effectiveConfig } from '../../shared/policy/pause.ts'
import { messageText } from '../chat/message-text.ts'
import { ask } from './asking.ts'
import { begin, NAME, web } from './undo-scene.ts'
import type { World } from './world.ts'

async function listed(world: World, instance: string) {
  const io = world.places[0] ?? expect.fail()
  const now = new Date(world.clock.now())
  const stored = (await readConfig(io.state)) ?? expect.fail()
  const seen = (await world.clock.settle(look(io, now))) ?? expect.fail()
  const known = { ...seen, stored, keyDigest: io.keyDigest, now }
  return { known, answer: await world.clock.settle(snapshotsOf(instance, known, io.relay)) }
}

test('is its policy or the request, its end, and the rule that keeps it', async () => {
  const world = await begin({ keep: { last: 3 }, expiry: '9d' })
  await ask(world, { do: 'snapshot', instances: ['web'], name: 'gold', expiry: null })
  await ask(world, { do: 'hold', instance: 'web', snapshot: NAME, note: 'for the audit' })
  const { answer } = await listed(world, 'web')
  const { snapshots } = (answer.ok ? answer.value : expect.fail(answer.error)) as { snapshots: object[] }
  expect(snapshots).toHaveLength(web(world).snapshots.size)
  expect(snapshots[0]).toMatchObject({
    name: 'gold',
    by: null,
    held: false,
    expiresAt: null,
    stateful: false,
  })
  expect(snapshots[1]).toMatchObject({
    by: 'hourly',
    expiresAt: expect.stringMatching(/^2026-11-29T0/),
    reasons: [expect.stringMatching(/last|newest/)],
  })
  expect(snapshots.find((one) => 'name' in one && one.name === NAME)).toMatchObject({
    ...{ held: true, expiresAt: null },
    reasons: [expect.stringContaining('held')],
  })
})

test('is said in chat as well', async () => {
  const world = await begin({ keep: { last: 3 }, expiry: '9d' })
  const { known } = await listed(world, 'web')
  const details = {
    of: new Map([[NAME, { expiresAt: null, size: 5_000_000, stateful: true, description: 'x "y"' }]]),
    reasons: new Map([[NAME, ['it is held']]]),
  }
  const message = list.answer(
    { instance: 'web' },
    {
      ...{ ...known, details, maySee: () => true, config: effectiveConfig(known.stored, known.now) },
      ...{ actor: { id: 'a', name: 'Ann', place: 'x' } as never, applied: null, pauses: {} },
      ...{ facts: null, history: [] },
    },
  )
  expect(messageText(message)).toContain('without an end, 5.0 MB, with the memory, "x "y""; it is held')
})

test('is refused of what is none, or several', async () => {
  const world = await begin({ keep: { last: 3 } })
  const { answer } = await listed(world, 'nobody')
  expect(answer).toMatchObject({ ok: false })
})
