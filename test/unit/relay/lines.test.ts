import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createLines } from '../../../relay/lines.ts'

/** What arrived, a piece per arrival. */
async function arrivals(write: (response: ServerResponse) => Promise<void>): Promise<string[]> {
  const server = createServer((_, response) => void write(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const decoder = new TextDecoder()
  const pieces: string[] = []
  for await (const piece of answer.body ?? []) pieces.push(decoder.decode(piece))
  server.close()
  return pieces
}

const accepted = (job: string) => ({ job, accepted: true }) as const
const lineOf = (job: string) => `${JSON.stringify(accepted(job))}\n`

test('lines that come together leave together, and do not wait for the end', async () => {
  const pieces = await arrivals(async (response) => {
    const lines = createLines(response, 20)
    lines.write(accepted('a'))
    lines.write(accepted('b'))
    await new Promise((resolve) => setTimeout(resolve, 150))
    lines.write(accepted('c'))
    lines.end()
  })
  expect(pieces).toEqual([lineOf('a') + lineOf('b'), lineOf('c')])
})

test('the end does not wait for the moment to pass', async () => {
  const began = performance.now()
  const pieces = await arrivals(async (response) => {
    const lines = createLines(response, 60_000)
    lines.write(accepted('a'))
    lines.end()
  })
  expect(pieces).toEqual([lineOf('a')])
  expect(performance.now() - began).toBeLessThan(10_000)
})

test('what a server said too deep or too long to pass on is unknown, and the other lines arrive', async () => {
  const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)
  const metadata = (value: unknown) => [{ ok: true as const, metadata: value }]
  const pieces = await arrivals(async (response) => {
    const lines = createLines(response, 20)
    lines.write({ job: 'deep', steps: metadata(deep) })
    lines.write({ job: 'long', steps: metadata('x'.repeat(5_000_000)) })
    lines.write(accepted('a'))
    lines.end()
  })
  const [first, second, third] = pieces
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const unknown = [{ ok: false, error: expect.objectContaining({ code: 'bad-reply' }) }]
  expect([first, second, third]).toEqual([
    { job: 'deep', steps: unknown },
    { job: 'long', steps: unknown },
    accepted('a'),
  ])
})
