import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Suites that start daemons or workerd and mostly wait for them: two at a time, and nothing of the others beside. */
const ALONE = ['test/contract/*.test.ts', 'test/lab/*.test.ts', 'test/e2e/*.test.ts']

/** On virtual time alone, so that it doesn't matter how much of the processor they get. */
const SIMULATIONS = ['test/simulation/*.test.ts']

/** Replace modules, which no other file may get to see. */
const REPLACING = ['test/simulation/broken*.test.ts']

/** Files with minutes of work, or of waiting. */
const LONG =
  /test\/(simulation\/(faults|year|prolonged|forecast)|contract\/(real|newer)|e2e\/(mixed|cluster))\.test\.ts$/

/** By size alone, which is all that a fresh checkout knows, one of them would be the last, and run by itself. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

/** Of what starts nothing: loading each module anew for each file would cost more than the tests do. */
const SHARED = { isolate: false, setupFiles: ['test/after-each-file.ts'] }

export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['test/**/*.test.ts'],
          exclude: [...ALONE, ...SIMULATIONS],
          ...SHARED,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'simulations',
          include: SIMULATIONS,
          exclude: REPLACING,
          testTimeout: 1_200_000,
          ...SHARED,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'replacing',
          include: REPLACING,
          testTimeout: 1_200_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'daemons',
          include: ALONE,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
