/** A relay that costs nothing: prepared inventories, and every job of a batch done at once. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { serializeReply } from '../../shared/relay/packing.ts'
import type { InventoryReply } from '../../shared/relay/protocol.ts'

export type FakeRelay = {
  url: string
  /** What the next inventories say. */
  show(reply: InventoryReply): void
  /** Calls since the last look. */
  calls(): { inventory: number; batch: number; steps: number }
  close(): Promise<void>
}

export async function startFakeRelay(): Promise<FakeRelay> {
  let inventory = Buffer.from('{}')
  let counts = { inventory: 0, batch: 0, steps: 0 }
  const server = createServer((message, response) => {
    if (message.url === '/v1/glance') {
      message.resume()
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end('{"remotes":{}}')
    } else if (message.url === '/v1/inventory') {
      counts.inventory += 1
      message.resume()
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': inventory.length })
      response.end(inventory)
    } else {
      counts.batch += 1
      void answerBatch(message, response).then((steps) => {
        counts.steps += steps
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    show(reply) {
      inventory = Buffer.from(serializeReply(reply))
    },
    calls() {
      const seen = counts
      counts = { inventory: 0, batch: 0, steps: 0 }
      return seen
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Jobs whose lines a real relay sends together: at 50 snapshots a second, those of half a second. */
const TOGETHER = 25

/** The number of steps. */
async function answerBatch(message: IncomingMessage, response: ServerResponse): Promise<number> {
  const { jobs } = (await json(message)) as { jobs: { id: string; steps: unknown[] }[] }
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  let lines = ''
  for (const [at, { id, steps }] of jobs.entries()) {
    lines += `${JSON.stringify({ job: id, steps: steps.map(() => ({ ok: true })) })}\n`
    if ((at + 1) % TOGETHER !== 0) continue
    response.write(lines)
    lines = ''
    // Far enough apart to arrive one by one.
    await sleep(2)
  }
  response.end(`${lines}${JSON.stringify({ done: jobs.length })}\n`)
  return jobs.reduce((sum, { steps }) => sum + steps.length, 0)
}
