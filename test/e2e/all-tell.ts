/** Whatever says how things are says the same: status, health, page and metrics. */
import { expect } from 'vitest'
import { plain } from '../../shared/chat/words.ts'
import type { Tone } from '../../shared/promise/verdict.ts'
import type { Served, Stage } from './stage.ts'

type Said = { health: Tone; warnings: string[] }

const HEADLINES: Record<Tone, string> = {
  good: 'Everything is protected',
  warning: 'Something needs a look',
  bad: 'Not everything is protected',
}

/** `metric`: a line that has changed beside that of the tone. */
export async function allTell(
  { worker }: Pick<Stage<Served>, 'worker'>,
  tone: Tone,
  words: readonly RegExp[] = [],
  metric?: string,
): Promise<void> {
  const status = await statusOf(worker)
  expect(status).toEqual({ health: tone, warnings: warningsWith(words) })
  const { warnings } = status
  const health = await worker.fetch('/api/health')
  expect(health.status).toBe(tone === 'bad' ? 503 : 200)
  expect(await health.json()).toMatchObject(status)
  const page = await readPage(worker)
  for (const [one, headline] of Object.entries(HEADLINES))
    expect([one, page.includes(headline)]).toEqual([one, one === tone])
  for (const warning of warnings) expect(page).toContain(squeezed(plain(warning)))
  const metrics = await readMetrics(worker)
  for (const one of Object.keys(HEADLINES))
    expect(metrics).toContain(`stapes_health{tone="${one}"} ${one === tone ? 1 : 0}`)
  if (metric !== undefined) expect(metrics).toContain(metric)
}

/** No words: all is well. */
const warningsWith = (words: readonly RegExp[]): unknown =>
  words.length === 0 ? [] : expect.arrayContaining(words.map((one) => expect.stringMatching(one)))

export const toneOf = async (worker: Served): Promise<Tone> => (await statusOf(worker)).health

async function statusOf(worker: Served): Promise<Said> {
  const { health, warnings } = (await (await worker.fetch('/api/status')).json()) as Said
  return { health, warnings }
}

async function readMetrics(worker: Served): Promise<string[]> {
  const answer = await worker.fetch('/metrics', { headers: { accept: 'text/plain' } })
  return (await answer.text()).split('\n')
}

/** The first screen as somebody reads it who has signed in. */
async function readPage(worker: Served): Promise<string> {
  const headers = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams({ token: worker.token }).toString()
  const entered = await worker.fetch('/sign-in', { method: 'POST', token: null, headers, body })
  const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? ''
  const page = await worker.fetch('/', { token: null, headers: { cookie } })
  return textIn(await page.text())
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }

const textIn = (html: string): string =>
  squeezed(html.replace(/<[^>]*>/g, '').replace(/&(\w+|#39);/g, (whole, name) => ENTITIES[name] ?? whole))

const squeezed = (text: string): string => text.replace(/\s+/g, ' ')
