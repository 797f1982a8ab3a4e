/** Servers of other versions, and servers that become others in the middle of a policy's life. */
import { describe, expect, test } from 'vitest'
import { parseVerified } from '../../shared/work/copy/marks.ts'
import type { Version } from '../emulator/faces.ts'
import { instanceOf, write } from '../emulator/scene.ts'
import { holdings } from './invariants.ts'
import { COVERED, DAY, HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import type { Remote } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + 4 * DAY)
const at = (text: string): Date => new Date(`2026-11-${text}Z`)

async function begin(versions?: Record<Remote, Version>): Promise<Simulation> {
  const setting = usual(start, until)
  const simulation = await simulate(versions === undefined ? setting : { ...setting, versions })
  const { clock, incus } = simulation.world
  for (let round = 1; round < 18; round++)
    clock.after(round * 5 * HOUR, () => {
      for (const name of COVERED) write(instanceOf(incus.main, { name }), `${name} ${round}`, 600e6)
    })
  incus.main.bandwidth = 4e6
  return simulation
}

/** On the target, by its mark, oldest first. */
function verified({ world }: Simulation, name: string): string[] {
  const mark = instanceOf(world.incus.backup, { name }).config['user.stapes.verified']
  return parseVerified(mark)
    .sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1))
    .map(([snapshot]) => snapshot)
}

const endState = (simulation: Simulation): string[] =>
  COVERED.flatMap((name) => [
    `main/${name}: ${holdings(simulation.world.incus.main, name)}`,
    `backup/${name}: ${holdings(simulation.world.incus.backup, name)}`,
    `verified of ${name}: ${verified(simulation, name).join(' ')}`,
  ])

async function finish(simulation: Simulation): Promise<string[]> {
  const { pass, watch, calendar, book } = simulation
  await pass(until)
  watch.end()
  for (const [policy, slots] of Object.entries(calendar))
    for (const slot of slots.filter((one) => one > start && one <= until))
      expect([policy, slot, book.ending(policy, slot)?.outcome]).toEqual([policy, slot, 'served'])
  return endState(simulation)
}

let known: Promise<string[]> | undefined
const undisturbed = (): Promise<string[]> => {
  known ??= begin().then(finish)
  return known
}

describe.each<[string, Record<Remote, Version>]>([
  ['7.0.2 to 7.0.2', { main: '7.0.2', backup: '7.0.2' }],
  ['6.0.4 to 7.0.2', { main: '6.0.4', backup: '7.0.2' }],
  ['7.0.2 to 6.0.4', { main: '7.0.2', backup: '6.0.4' }],
])('from %s', (_, versions) => {
  test('four days end as from 6.0.4 to 6.0.4', async () => {
    expect(await finish(await begin(versions))).toEqual(await undisturbed())
  })
})

describe('an upgrade', () => {
  test.each<[string, [Remote, Date][]]>([
    ['of the backup server between two copies', [['backup', at('21T12:20')]]],
    ['of the backup server amid the refreshes', [['backup', at('22T03:11')]]],
    ['of main between two copies', [['main', at('21T12:20')]]],
    ['of main amid the refreshes', [['main', at('22T03:11')]]],
    [
      'of one server after the other',
      [
        ['backup', at('21T12:20')],
        ['main', at('22T15:40')],
      ],
    ],
    [
      'of both in one minute',
      [
        ['backup', at('22T03:11')],
        ['main', at('22T03:11')],
      ],
    ],
  ])('%s ends no copy, and loses none', async (_, upgrades) => {
    const simulation = await begin()
    const { world, pass } = simulation
    for (const [remote, moment] of upgrades) {
      await pass(moment, 'ticked')
      const before = COVERED.map((name) => verified(simulation, name))
      world.incus[remote].upgrade('7.0.2')
      for (let minute = 1; minute <= 30; minute++) {
        await pass(new Date(moment.getTime() + minute * MINUTE), 'ticked')
        for (const [index, name] of COVERED.entries()) {
          const newest = before[index]?.at(-1) ?? 'none'
          expect(verified(simulation, name)).toContain(newest)
          expect(holdings(world.incus.backup, name).split(' ')).toContain(newest)
        }
      }
    }
    expect(await finish(simulation)).toEqual(await undisturbed())
  })
})
