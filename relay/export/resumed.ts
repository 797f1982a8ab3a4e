/** Reads a file from Incus to its end, and goes on where it broke off if the connection does. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { CallError } from '../../shared/relay/protocol.ts'
import type { Download, Saving } from '../engine/exports.ts'
import { StoreError } from './store.ts'

/** In a row, without a byte between them. */
const FAILURES = 10

export async function* resumed(
  first: Download,
  open: Saving['open'],
  pause: (ms: number) => Promise<unknown> = sleep,
): AsyncGenerator<Uint8Array> {
  const { size } = first
  let now: Download | null = first
  let at = 0
  let failures = 0
  let last = ''
  for (;;) {
    if (now !== null) {
      try {
        for await (const chunk of now.bytes) {
          at += chunk.length
          failures = 0
          if (at > size) throw new StoreError('Incus sends more than it announced')
          yield chunk
        }
        if (at === size) return
        last = `it ended after ${at} of ${size} bytes`
      } catch (cause) {
        if (cause instanceof StoreError) throw cause
        last = cause instanceof Error ? cause.message : String(cause)
      }
    }
    failures += 1
    if (failures >= FAILURES) throw new StoreError(`the export could not be read to its end: ${last}`)
    await pause(125 * 2 ** failures)
    const again = await open(at)
    now = again.ok ? again.value : null
    if (!again.ok) last = giveUpOn(again.error)
    else if (again.value.size !== size || again.value.from !== at)
      throw new StoreError('the export changed on the server while it was read')
  }
}

/** What isn't there any more doesn't come back. */
function giveUpOn({ status, message }: CallError): string {
  if (status === 404) throw new StoreError('the export went on the server while it was read')
  return message
}
