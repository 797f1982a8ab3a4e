/** End to end on two real daemons. */
import { startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { backupsEndToEnd } from './backups.ts'
import type { Theatre } from './stage.ts'

async function openReal(): Promise<Theatre> {
  const pair = await startPair()
  const { run, readMarker } = pair.backup
  return {
    ...pair,
    elapse: async () => {},
    async restore({ name }, snapshot) {
      const restored = { name: `restored-${name}` }
      const source = { type: 'copy', source: `${name}/${snapshot}` }
      try {
        await run('POST', '/1.0/instances', { ...restored, type: 'container', source })
        return await readMarker(restored)
      } finally {
        await run('DELETE', `/1.0/instances/${restored.name}`).catch(() => null)
      }
    },
  }
}

onRealIncus('backups, end to end', () => backupsEndToEnd('two real daemons', openReal))
