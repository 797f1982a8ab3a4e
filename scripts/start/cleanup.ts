/** The process exits after so many milliseconds, though some steps haven't ended. */
const TIMEOUT_MS = 10_000

/** Stops servers and children and removes folders before the process exits; the last one added is the first. */
export class Cleanup {
  readonly #stops: (() => unknown)[] = []
  ending = false

  /** One that is added during the cleanup runs at once. */
  add(stop: () => unknown): void {
    if (this.ending) void stop()
    else this.#stops.push(stop)
  }

  async run(): Promise<void> {
    this.ending = true
    const late = new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS).unref())
    await Promise.race([this.#endAll(), late])
  }

  async #endAll(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) {
      try {
        await stop()
      } catch (error) {
        // The others have to run all the same.
        console.error(`while stopping: ${error}`)
      }
    }
  }
}
