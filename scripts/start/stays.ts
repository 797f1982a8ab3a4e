/** A stay may take so long to end before the process leaves without it, in milliseconds. */
const FAREWELL = 10_000

/** What has to go before the process may: servers, children, folders; the last to come goes first. */
export class Stays {
  readonly #stops: (() => unknown)[] = []
  ending = false

  /** What comes while all is ending goes at once. */
  add(stop: () => unknown): void {
    if (this.ending) void stop()
    else this.#stops.push(stop)
  }

  async end(): Promise<void> {
    this.ending = true
    const late = new Promise((resolve) => setTimeout(resolve, FAREWELL).unref())
    await Promise.race([this.#endAll(), late])
  }

  async #endAll(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) {
      try {
        await stop()
      } catch (error) {
        // The others have to go all the same.
        console.error(`while stopping: ${error}`)
      }
    }
  }
}
