/** Rejections that nobody waits for. Each is a bug in one job or one remote, and the others go on. */

type Emitter = { on(event: 'unhandledRejection', listener: (reason: unknown) => void): unknown }

/** Without a listener, Node ends the process, and with it every copy that is being watched. */
export function logRejections(emitter: Emitter, log: (line: string) => void): void {
  emitter.on('unhandledRejection', (reason) => {
    const trace = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)
    log(`error: a rejection that nobody waits for, please report it: ${trace}`)
  })
}
