/** Which files are being read, so that none of them is removed meanwhile. */
export type Reading = {
  during<T>(file: string, work: () => Promise<T>): Promise<T>
  /** The same, of a stream. */
  passing<T>(file: string, source: AsyncIterable<T>): AsyncGenerator<T>
  has(file: string): boolean
}

export function createReading(): Reading {
  const readers = new Map<string, number>()
  const count = (file: string, by: number): void => {
    const left = (readers.get(file) ?? 0) + by
    if (left > 0) readers.set(file, left)
    else readers.delete(file)
  }
  return {
    async during(file, work) {
      count(file, 1)
      try {
        return await work()
      } finally {
        count(file, -1)
      }
    },
    async *passing(file, source) {
      count(file, 1)
      try {
        yield* source
      } finally {
        count(file, -1)
      }
    },
    has: (file) => readers.has(file),
  }
}
