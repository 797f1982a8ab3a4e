/** A headless Chromium, Debian's own, and the page as it loads it. */
import { accessSync, constants } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium } from 'playwright-core'
import { test } from 'vitest'
import { isOwed } from '../lab/real.ts'

const CHROMIUM = '/usr/bin/chromium'

function missingChromium(): string | null {
  try {
    accessSync(CHROMIUM, constants.X_OK)
    return null
  } catch {
    return `${CHROMIUM} is missing: run "sh test/page/install.sh" as root on Debian`
  }
}

/** Defines tests that need it: run where there is one, and where the build owes it, its lack is a failure. */
export function inChromium(what: string, define: () => void): void {
  const missing = missingChromium()
  if (missing === null) define()
  else if (isOwed())
    test(`a real browser judges ${what}`, () => {
      throw new Error(`CI on Debian as root must have a browser: ${missing}`)
    })
  else test.skip(`NOT TESTED in a real browser: ${missing}`, () => {})
}

/** Root has no sandbox. */
export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })

/** Null: there is none, and none is owed. */
export async function launchIfThere(): Promise<Browser | null> {
  const missing = missingChromium()
  if (missing === null) return launch()
  if (isOwed()) throw new Error(`CI on Debian as root must have a browser: ${missing}`)
  process.stderr.write(`NOT SEEN in a real browser: ${missing}\n`)
  return null
}

export type Site = { url: string; close(): Promise<void> }

/** The Worker's answers over HTTP, as `npm start` gives them. */
export async function serve({ fetch }: { fetch(request: Request): Promise<Response> }): Promise<Site> {
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
