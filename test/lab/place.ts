/** A network of its own for a daemon: this machine reaches it, and two of them don't reach each other. */
import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { promisify } from 'node:util'

const run = promisify(execFile)

export type Place = {
  /** Where the daemon listens. */
  address: string
  /** A command before another one: it then runs there. */
  enter: readonly string[]
  close(): Promise<void>
}

/** Names of interfaces end at 15 characters. */
const PREFIX = 'stapes'

/** A namespace with a line to this machine and no other, not even a route; addresses are for tests of networks (RFC 2544). */
export async function openPlace(): Promise<Place> {
  const nth = randomInt(2 ** 15)
  const name = `${PREFIX}-${nth.toString(16)}`
  const [here, there] = [1, 2].map(
    (end) => `198.${18 + (nth >> 14)}.${(nth >> 6) & 255}.${(nth & 63) * 4 + end}`,
  )
  const ip = (...args: string[]) => run('ip', args)
  const inside = (...args: string[]) => ip('-n', name, ...args)
  await ip('netns', 'add', name)
  try {
    const [outer, inner] = [`${name}o`, `${name}i`]
    await ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name)
    await ip('addr', 'add', `${here}/30`, 'dev', outer)
    await ip('link', 'set', outer, 'up')
    await inside('addr', 'add', `${there}/30`, 'dev', inner)
    await inside('link', 'set', inner, 'up')
    await inside('link', 'set', 'lo', 'up')
  } catch (error) {
    await ip('netns', 'del', name)
    throw error
  }
  return {
    address: there ?? '',
    enter: ['nsenter', `--net=/run/netns/${name}`, '--'],
    // The line goes with it.
    close: async () => {
      await ip('netns', 'del', name)
    },
  }
}

/** Whether somebody in one place reaches an address; what says so runs there. */
export async function reaches({ enter }: Place, host: string, port: string): Promise<boolean> {
  const [command = '', ...args] = [...enter, 'bash', '-c', `exec 3<>/dev/tcp/${host}/${port}`]
  return run(command, args, { timeout: 10_000 }).then(
    () => true,
    () => false,
  )
}
