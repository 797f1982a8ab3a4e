/** The beginning of an answer: one without an end must not fill the memory. */

/** Bytes that are read. Discord's answer repeats the whole message. */
const READ = 100_000

export async function beginningOf({ body }: Response): Promise<string> {
  const decoder = new TextDecoder()
  let [text, bytes] = ['', 0]
  // To leave it early ends the answer.
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(part, { stream: true })
    bytes += part.length
    if (bytes >= READ) break
  }
  return text
}
