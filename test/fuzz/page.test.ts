/** Hostile addresses and forms at the page, from somebody who is signed in: nothing ends badly, and nothing changes. */
import { beforeAll, expect, test, vi } from 'vitest'
import { openScene, type PageScene } from '../page/scene.ts'
import { ORIGIN, openStage, type Stage } from '../page/stage.ts'
import { COUNT, PATIENCE, SEED, silence } from './effort.ts'
import { createDice, type Dice, garble, TEXTS } from './hostile.ts'

/** A page costs more than an answer of the API. */
const MANY = Math.ceil(COUNT / 20)

const PATHS = [
  '/?q=web&show=attention&page=2',
  '/subject/main/default/web',
  '/subject/a%2fb/%00/c',
  '/simulate?policy=hourly',
]

let scene: PageScene
let stage: Stage

beforeAll(async () => {
  silence()
  scene = await openScene()
  await scene.pass(5)
  stage = openStage(scene.world)
  return () => vi.unstubAllGlobals()
})

const textOf = (dice: Dice): string => (dice.chance(0.5) ? dice.pick(TEXTS) : garble('{"daily":7}', dice))

async function ask(dice: Dice, cookie: string): Promise<Response | null> {
  try {
    if (dice.chance(0.6)) return await stage.get(garble(dice.pick(PATHS), dice), { cookie })
    const fields = Object.fromEntries(
      ['part', 'policy', 'schedule', 'keep', 'expiry', 'subject', 'document'].flatMap((name) =>
        dice.chance(0.7) ? [[name, name === 'part' ? 'policy' : textOf(dice)]] : [],
      ),
    )
    return await stage.post('/simulate', fields, { cookie, origin: ORIGIN })
  } catch (cause) {
    // No client could send it so.
    if (cause instanceof TypeError) return null
    throw cause
  }
}

test(`${MANY} of them (seed ${SEED})`, { timeout: PATIENCE }, async () => {
  const dice = createDice(SEED + 4)
  const cookie = await stage.signIn()
  const before = [
    scene.world.kv.peek('config'),
    scene.world.kv.peek('ledger'),
    scene.world.kv.peek('promises'),
  ]
  const statuses = new Map<number, number>()
  for (let at = 0; at < MANY; at++) {
    const response = await ask(dice, cookie)
    const text = (await response?.text()) ?? ''
    expect(text).not.toMatch(/<script|javascript:/i)
    const status = response?.status ?? 0
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([])
  expect(statuses.get(200)).toBeGreaterThan(MANY / 10)
  expect([
    scene.world.kv.peek('config'),
    scene.world.kv.peek('ledger'),
    scene.world.kv.peek('promises'),
  ]).toEqual(before)
})
