import { defineConfig } from 'vitest/config'

/** Suites that start daemons or workerd and mostly wait for them: two at a time, and nothing of the others beside. */
const ALONE = ['test/contract/*.test.ts', 'test/lab/*.test.ts', 'test/e2e/*.test.ts']

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['test/**/*.test.ts'],
          exclude: ALONE,
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
