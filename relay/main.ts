/** Runs the relay until it is told to stop: SIGTERM or SIGINT. */
import { exposuresOf, readConfig } from './environment.ts'
import { type Emit, eventLine } from './events.ts'
import { logRejections } from './rejections.ts'
import { startRelay } from './relay.ts'

const config = readConfig(process.env)
if (!config.ok) {
  console.error(`The relay's configuration can't be used:\n${config.error}`)
  process.exit(2)
}

const emit: Emit = (event) => console.error(eventLine(event, new Date()))
const log = (message: string): void => emit({ event: 'message', message })

for (const exposed of exposuresOf(process.env)) log(`warning: ${exposed}`)
if (Object.values(config.value.remotes).every(({ role }) => role === 'source'))
  log('warning: no remote is a backup target, so every copy is refused: set "role": "target" for it')

const relay = await startRelay({ ...config.value, log, emit }).catch((error: Error) => {
  console.error(`The relay can't listen: ${error.message}`)
  process.exit(1)
})
console.log(`relay on ${relay.url} for ${Object.keys(config.value.remotes).join(', ')}`)

logRejections(process, log)

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    console.log('the relay stops')
    void relay.close().then(() => process.exit(0))
  })
}
