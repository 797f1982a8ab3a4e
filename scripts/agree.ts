/** Asks in the terminal. */
import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'

type Streams = { input: Ends; output: NodeJS.WritableStream & { isTTY?: boolean } }
type Ends = NodeJS.ReadableStream & { isTTY?: boolean }

/** Null: there is no terminal. Whoever ends the question by Ctrl-C or Ctrl-D has not agreed. */
export async function agree(
  question: string,
  { input, output }: Streams = { input: process.stdin, output: process.stdout },
): Promise<boolean | null> {
  if (input.isTTY !== true || output.isTTY !== true) return null
  const terminal = createInterface({ input, output })
  try {
    const closed = once(terminal, 'close').then(() => '')
    const answered = terminal.question(`${question} [y/N] `).catch(() => '')
    return /^y(es)?$/i.test((await Promise.race([answered, closed])).trim())
  } finally {
    terminal.close()
  }
}
