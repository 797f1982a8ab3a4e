/** How long a process ran on a processor, as Linux accounts for it. */
import { readdir, readFile } from 'node:fs/promises'

/** Milliseconds of all its threads (proc(5), schedstat). */
export async function processorTime(pid: number): Promise<number> {
  let sum = 0
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const text = await readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8').catch(() => '0')
    sum += Number(text.split(' ')[0]) / 1e6
  }
  return sum
}
