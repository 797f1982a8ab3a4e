/** What a person does whose instance is lost. */
import type { Pair } from '../lab/pair.ts'

/** As `incus copy backup:<name> main:<as>` does it. */
export async function copyBack({ main, backup }: Pair, name: string, as = name): Promise<void> {
  const it = `/1.0/instances/${name}`
  const offer = await backup.admin('POST', it, { migration: true, live: false })
  const { metadata: secrets } = offer.metadata as { metadata: Record<string, string> }
  const { config, ...rest } = (await backup.run('GET', it)) as Record<
    'config' | 'devices' | 'profiles' | 'architecture',
    object
  >
  const { devices, profiles, architecture } = rest
  const kept = Object.entries(config).filter(([key]) => !key.startsWith('volatile.'))
  await main.run('POST', '/1.0/instances', {
    ...{ name: as, type: 'container', config: Object.fromEntries(kept), devices, profiles, architecture },
    source: {
      ...{ type: 'migration', mode: 'pull', operation: `${backup.url}${offer.operation}`, secrets },
      certificate: backup.certificate,
    },
  })
}
