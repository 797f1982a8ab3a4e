/** A headless Chromium, Debian's own, and the page as it loads it. */
import { accessSync, constants } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium } from 'playwright-core'
import type { Stage } from './stage.ts'

export const CHROMIUM = '/usr/bin/chromium'

export function missingChromium(): string | null {
  try {
    accessSync(CHROMIUM, constants.X_OK)
    return null
  } catch {
    return `${CHROMIUM} is missing: run "apt-get install chromium" as root on Debian`
  }
}

/** Root has no sandbox. */
export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })

export type Site = { url: string; close(): Promise<void> }

/** The Worker's answers over HTTP, as `npm start` gives them. */
export async function serve({ fetch }: Pick<Stage, 'fetch'>): Promise<Site> {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const headers = new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, `${value}`]))
    const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }
    const url = `http://${incoming.headers.host}${incoming.url}`
    const answer = await fetch(new Request(url, { method: incoming.method ?? 'GET', headers, ...body }))
    const cookies = answer.headers.getSetCookie()
    outgoing.writeHead(answer.status, {
      ...Object.fromEntries(answer.headers),
      ...(cookies.length === 0 ? {} : { 'set-cookie': cookies }),
    })
    outgoing.end(Buffer.from(await answer.arrayBuffer()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => closed(server) }
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
