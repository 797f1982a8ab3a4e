/** Small pieces together: an archive of many small files would else be sent in as many packets. */
const PIECE = 64 * 1024

export async function* gathered(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let size = 0
  for await (const chunk of source) {
    held.push(chunk)
    size += chunk.length
    if (size < PIECE) continue
    yield Buffer.concat(held)
    held = []
    size = 0
  }
  // Nothing of it where the source ended with an error.
  if (size > 0) yield Buffer.concat(held)
}
