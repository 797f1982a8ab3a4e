/** Connections to the files of an instance. */
import type { EmbeddedIncus } from './server.ts'
import type { Instance } from './state.ts'

/** As long as somebody has its files open, no snapshot of it is taken, and it isn't deleted: both wait. */
export function unread(server: EmbeddedIncus, instance: Instance, go: () => void): void {
  const [channel] = [...server.channels].find(([, read]) => read === instance) ?? []
  if (channel === undefined) go()
  else channel.once('close', () => server.after(0, () => unread(server, instance, go)))
}
