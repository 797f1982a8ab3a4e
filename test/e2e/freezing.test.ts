/** What stands still, on the embedded pair and on two real daemons. */
import { openEmbedded } from '../emulator/contract-pair.ts'
import { instanceOf, seedInstance } from '../emulator/scene.ts'
import { buildImage } from '../lab/image.ts'
import { INCUSD } from '../lab/installed.ts'
import { startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { freezingEndToEnd } from './freezing.ts'
import { realTheatre } from './real-theatre.ts'

freezingEndToEnd('the embedded Incus', async () => {
  const pair = await openEmbedded()
  const { backup } = pair.incus
  return {
    ...pair,
    restore: (it, snapshot) => pair.backup.readMarker(it, snapshot),
    statusOf: async (name) => instanceOf(backup, { name }).status,
    run: async (name) => void seedInstance(backup, { name, running: true }),
  }
})

/** The installed one, or the one that is named. */
const incusd = process.env.LAB_INCUSD ?? INCUSD

onRealIncus(
  'freezing, end to end',
  () =>
    freezingEndToEnd('two real daemons', async () => {
      const pair = await startPair({ daemons: { main: incusd, backup: incusd } })
      const { run } = pair.backup
      // Two that are built within a second are the same, and Incus takes it only once.
      let image: Promise<unknown> | undefined
      return {
        ...realTheatre(pair),
        statusOf: async (name) => ((await run('GET', `/1.0/instances/${name}`)) as { status: string }).status,
        async run(name) {
          image ??= buildImage().then((built) => run('POST', '/1.0/images', built))
          const { metadata } = (await image) as { metadata: { fingerprint: string } }
          const source = { type: 'image', fingerprint: metadata.fingerprint }
          await run('POST', '/1.0/instances', { name, type: 'container', source })
          await pair.backup.setRunning({ name }, true)
        },
      }
    }),
  [incusd],
)
