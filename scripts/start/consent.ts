/** Asks before anything is done to real servers. */
import { createInterface } from 'node:readline/promises'

/** Asks in the terminal. Without a terminal it refuses and says what to do. */
export async function agree(file: string): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
    console.error(
      `${file} was not applied from here before, and these are real servers: nothing was done.\nIf the plan above is what you want: npm start -- --yes`,
    )
    return false
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    const answer = await terminal.question(`This is what ${file} does to these servers. Begin? [y/N] `)
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
