import type { State } from './ledger.ts'

export const withReadsOnce = <Io extends { state: State }>(io: Io): Io => ({
  ...io,
  state: readingOnce(io.state),
})

/** KV as one tick or request sees it: it reads each key once, and after that what it wrote there itself. */
export function readingOnce(state: State): State {
  const known = new Map<string, Promise<string | null>>()
  return {
    get(key) {
      const value = known.get(key) ?? state.get(key)
      known.set(key, value)
      // What could not be read may be there for the next reader.
      value.catch(() => known.delete(key))
      return value
    },
    async put(...write: Parameters<State['put']>) {
      await state.put(...write)
      known.set(String(write[0]), Promise.resolve(String(write[1])))
    },
  }
}
