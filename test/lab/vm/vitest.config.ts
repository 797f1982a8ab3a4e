import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** What boots virtual machines in software emulation takes minutes: on demand, `npm run lab:vm`. */
export default defineConfig({
  root: join(import.meta.dirname, '../../..'),
  test: {
    include: ['test/lab/vm/*.lab.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
  },
})
