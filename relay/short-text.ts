/** The beginning of a body: no more of it is read once it has `longest` bytes, so that one without an end doesn't fill the memory. */
export async function shortText(body: AsyncIterable<Uint8Array>, longest: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= longest) break
  }
  return Buffer.concat(chunks).toString()
}
