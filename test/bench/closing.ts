/** Whatever a bench started ends with it, the last first, also when it fails half-way. */
type Closing = <T extends { close(): Promise<void> }>(starting: Promise<T> | T) => Promise<T>

export async function whileOpen<R>(work: (open: Closing) => Promise<R>): Promise<R> {
  const opened: { close(): Promise<void> }[] = []
  try {
    return await work(async (starting) => {
      const started = await starting
      opened.push(started)
      return started
    })
  } finally {
    for (const one of opened.reverse()) await one.close()
  }
}
