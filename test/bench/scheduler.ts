/** Incus's own scheduler: all instances due in the same minute, from the start of its work to its end. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LabServer } from '../lab/server.ts'

type Operation = { id: string; description: string; created_at: string }

const POLL_MS = 100
/** Its loop passes once a minute. */
const PATIENCE_MS = 180_000

/** Milliseconds. The profile is the one that all instances have. */
export async function timeScheduler({ run }: LabServer): Promise<number> {
  const due = new Date(Date.now() + 120_000)
  const config = {
    'snapshots.schedule': `${due.getMinutes()} ${due.getHours()} * * *`,
    'snapshots.schedule.stopped': 'true',
  }
  await run('PATCH', '/1.0/profiles/default', { config })
  try {
    const { id, created_at } = await waitForIt(run)
    // One held call, so that looking on costs the daemon nothing. It throws when the operation fails.
    await run('GET', `/1.0/operations/${id}/wait`)
    return Date.now() - Date.parse(created_at)
  } finally {
    await run('PATCH', '/1.0/profiles/default', { config: { 'snapshots.schedule': '' } })
  }
}

async function waitForIt(run: LabServer['run']): Promise<Operation> {
  const giveUp = Date.now() + PATIENCE_MS
  while (Date.now() < giveUp) {
    const [operation] = await listScheduled(run)
    if (operation !== undefined) return operation
    await sleep(POLL_MS)
  }
  throw new Error('the scheduler did not begin within three minutes')
}

async function listScheduled(run: LabServer['run']): Promise<Operation[]> {
  const listed = (await run('GET', '/1.0/operations?recursion=1&all-projects=true')) as {
    running?: Operation[]
  }
  return (listed.running ?? []).filter(({ description }) => description === 'Snapshotting instance')
}
