/** A restore in place as somebody asks for it over the API, to its end. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stage } from './stage.ts'

type Ended = { state: 'refused' | 'done' | 'failed'; reason: string }

type Restores = { restores: Record<string, { state: string; reason?: string }> }

const PAUSE = 3_000
const TRIES = 120

export async function restore(stage: Stage, instance: string, snapshot: string): Promise<Ended> {
  const wish = { do: 'restore', instance, snapshot }
  const planned = await stage.worker.fetch('/api/plan', { method: 'POST', body: JSON.stringify(wish) })
  if (planned.status === 422)
    return { state: 'refused', reason: ((await planned.json()) as { detail: string }).detail }
  const { digest } = (await planned.json()) as { digest: string }
  await stage.ask('POST', '/api/run', { ...wish, confirm: digest })
  for (let tries = 0; tries < TRIES; tries++) {
    await sleep(PAUSE)
    await stage.worker.tick(new Date())
    const { restores } = await stage.ask<Restores>('GET', '/api/status')
    const known = restores[`main/default/${instance}`]
    if (known?.state === 'done' || known?.state === 'failed')
      return { state: known.state, reason: known.reason ?? '' }
  }
  throw new Error(`the restore of ${instance} has no end`)
}
