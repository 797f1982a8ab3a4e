/** Nothing happens to real servers before somebody saw what would, and agreed. */
import { createInterface } from 'node:readline/promises'

/** Asks whoever sits in front of it. Where nobody does, it is refused with what to do. */
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
