/** A real pair as the end-to-end suites take one: a copy is judged by what restoring it brings back. */
import type { Pair } from '../lab/pair.ts'
import type { Theatre } from './stage.ts'

export function realTheatre(pair: Pair): Theatre {
  const { run, readMarker } = pair.backup
  return {
    ...pair,
    elapse: async () => {},
    async restore({ name }, snapshot) {
      const restored = { name: `restored-${name}` }
      const source = { type: 'copy', source: `${name}/${snapshot}` }
      try {
        const { type } = (await run('GET', `/1.0/instances/${name}`)) as { type: string }
        await run('POST', '/1.0/instances', { ...restored, type, source })
        return await readMarker(restored)
      } finally {
        await run('DELETE', `/1.0/instances/${restored.name}`).catch(() => null)
      }
    },
  }
}
