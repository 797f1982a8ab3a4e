import { defineConfig } from 'vitest/config'

/** What takes an hour and a machine of its own: on demand, `npm run lab:drivers`. */
export default defineConfig({
  test: {
    include: ['test/drivers/*.lab.ts'],
    reporters: ['verbose'],
  },
})
