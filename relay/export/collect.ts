/**
 * Has buffers that are no longer needed freed in time. V8 lets some 64 MB of them gather before it looks, since it counts only
 * what lies in its own heap; a stream of gigabytes fills that within a second, and the process keeps what it had once.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options: { type: 'minor' | 'major' }) => void

function minorCollection(): Collect {
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('gc')
  return typeof found === 'function' ? (found as Collect) : () => {}
}

const MEBI = 1024 * 1024

/** Called with the number of bytes that went by; it looks each time that so many have. */
export function createCollector(every = MEBI): (bytes: number) => void {
  const collect = minorCollection()
  collect({ type: 'major' })
  let since = 0
  return (bytes) => {
    since += bytes
    if (since < every) return
    since = 0
    collect({ type: 'minor' })
  }
}

/** Passes the bytes on. */
export async function* collected(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const passed = createCollector()
  for await (const chunk of source) {
    yield chunk
    passed(chunk.length)
  }
}
