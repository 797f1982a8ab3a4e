/** The line on which the machine takes commands, one after the other: guest-init has its other end. */
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

export type Line = {
  /** What the commands said; throws when the last of them fails. */
  sh(commands: string): Promise<string>
  close(): void
}

/** Resolves when the machine says that it is up. */
export async function openLine(path: string, isAlive: () => boolean): Promise<Line> {
  const socket = await connect(path, isAlive)
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error('the machine has ended')
    return value
  }
  if ((await next()) !== 'ready') throw new Error('the machine did not come up')
  let turn: Promise<unknown> = Promise.resolve()
  const ask = async (commands: string): Promise<string> => {
    socket.write(`${Buffer.from(commands).toString('base64')}\n`)
    const [code, said = ''] = (await next()).split(' ')
    const text = Buffer.from(said, 'base64').toString().trim()
    if (code !== '0') throw new Error(`${commands}: exit code ${code}: ${text}`)
    return text
  }
  return {
    sh(commands) {
      const answer = turn.then(() => ask(commands))
      turn = answer.catch(() => null)
      return answer
    },
    close: () => socket.destroy(),
  }
}

async function connect(path: string, isAlive: () => boolean) {
  while (isAlive()) {
    const socket = createConnection(path)
    try {
      await once(socket, 'connect')
      return socket
    } catch {
      await sleep(100)
    }
  }
  throw new Error('QEMU has ended')
}
