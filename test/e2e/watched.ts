/** A pair of real servers that is backed up, the Worker in this process, and all by which people are told. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Pair } from '../lab/pair.ts'
import { type AllServices, allServices } from './all-services.ts'
import { allTell, toneOf } from './all-tell.ts'
import { type Eyes, openEyes } from './eyes.ts'
import { realTheatre } from './real-theatre.ts'
import { nextSecond, type Stage, stageWith } from './stage.ts'
import { type WorkerHere, workerHere } from './worker-here.ts'

/** Milliseconds until the relay has begun what a tick asks of it. */
const BEGINS = 200

export type Watched = {
  stage: Stage<WorkerHere>
  services: AllServices
  /** These policies, and a channel of each service. */
  apply(policies: object): Promise<void>
  pass(minutes?: number): Promise<void>
  /** Status, health, page and metrics say it, and by each service it was told once. */
  isTold(words: RegExp, metric: string, title: RegExp): Promise<void>
  /** By itself, within some minutes; that is told once, when it has not come again for some more. */
  isOver(): Promise<void>
  close(): Promise<void>
}

export async function watch(pair: Pair): Promise<Watched> {
  const services = allServices(() => stage.worker.now())
  const { secrets, outside } = services
  const stage = await stageWith(workerHere, async () => realTheatre(pair), { secrets, outside })
  const eyes = await openEyes(stage.worker)
  /** In a minute of real time Incus is done with what it began. */
  const isIdle = async (): Promise<boolean> => {
    const listed = [pair.main, pair.backup].map(({ run }) => run('GET', '/1.0/operations').catch(() => ({})))
    return (await Promise.all(listed)).every((one) => !Object.hasOwn(one as object, 'running'))
  }
  const pass = async (minutes = 1): Promise<void> => {
    for (let passed = 0; passed < minutes; passed++) {
      // A slot's snapshot has a second of its own.
      if (stage.worker.now().getUTCMinutes() % 10 === 9) await nextSecond()
      await stage.worker.pass()
      await sleep(BEGINS)
      await expect.poll(isIdle, { timeout: 10_000 }).toBe(true)
    }
  }
  return {
    ...{ stage, services, pass },
    apply: (policies) => stage.apply({ policies, notify: services.notify }),
    async isTold(words, metric, title) {
      await allTell(stage, 'bad', [words], metric)
      await eyes.see(nameOfTest(), 'Not everything is protected', words)
      services.expectTold([title])
    },
    isOver: () => isOver({ stage, services, eyes, pass }),
    async close() {
      await eyes.close()
      await stage.close()
    },
  }
}

type Over = Pick<Watched, 'stage' | 'services' | 'pass'> & { eyes: Eyes }

async function isOver({ stage, services, eyes, pass }: Over): Promise<void> {
  const before = services.toldTo('webhook')
  for (let minute = 0; minute < 20 && (await toneOf(stage.worker)) !== 'good'; minute++) await pass()
  await allTell(stage, 'good')
  await eyes.see(`${nameOfTest()} over`, 'Everything is protected')
  services.expectTold([/./])
  for (let minute = 0; minute < 9 && services.toldTo('webhook').length < 2; minute++) await pass()
  services.expectTold([/./, /Over after \d+ min: /])
  expect(services.toldTo('webhook').slice(0, 1)).toEqual(before)
}

const nameOfTest = (): string => (expect.getState().currentTestName ?? '').split(' > ').at(-1) ?? ''
