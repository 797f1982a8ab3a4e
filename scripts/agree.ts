/** Asks in the terminal. */
import { createInterface } from 'node:readline/promises'

/** Null: there is no terminal. */
export async function agree(question: string): Promise<boolean | null> {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) return null
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}
