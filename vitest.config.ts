import { defineConfig } from 'vitest/config'

/** Suites that start daemons or workerd, where time counts: one file after the other, and nothing beside them. */
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
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
