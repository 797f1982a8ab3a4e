/** Watches for the edge as relay.jsonc says, with a file of its own beside the journal. */
import { dirname, join } from 'node:path'
import type { Clock } from '../../shared/clock.ts'
import type { Keys } from '../authenticate.ts'
import type { Remotes } from '../engine/call-list.ts'
import type { Engine } from '../engine/engine.ts'
import { openJournal } from '../journal-file.ts'
import type { AlarmConfig } from './alarm-schema.ts'
import { createChannel, createPulse } from './channels.ts'
import { createWatch, type Watch } from './watch.ts'

type Parts = {
  engine: Engine
  clock: Clock
  keys: Keys
  remotes: Remotes
  journalFile: string | undefined
  log(line: string): void
}

/** Milliseconds for each remote: an alarm must not wait for a server that hangs. */
const LOOK = 30_000

export function startWatch(
  { after, channels, ping }: AlarmConfig,
  { engine, clock, keys, remotes, journalFile, log }: Parts,
): { watch: Watch; close(): void } {
  const store =
    journalFile === undefined ? undefined : openJournal(join(dirname(journalFile), 'relay-alarm.json'), log)
  const watch = createWatch({
    ...{ clock, log, grace: after, keys: Object.keys(keys) },
    ...(store === undefined ? {} : { store }),
    channels: Object.entries(channels).map(([name, channel]) => createChannel(name, channel)),
    ...(ping === undefined ? {} : { pulse: createPulse(ping) }),
    look: () => engine.inventory({ remotes: Object.keys(remotes), within: LOOK }),
  })
  return {
    watch,
    close() {
      watch.stop()
      store?.close()
    },
  }
}
