/** `node test/lab/main.ts up`, `down <directory>`: a real pair to work with by hand. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { endKept, listKept, type Pair, startPair } from './pair.ts'

async function up(): Promise<void> {
  const pair = await startPair({ keep: true })
  const { trusted } = pair.main.clients
  await writeFile(join(pair.dir, 'client.crt'), trusted.cert)
  await writeFile(join(pair.dir, 'client.key'), trusted.key, { mode: 0o600 })
  console.log(renderPair(pair))
  // The daemons were started detached: they stay, this process goes.
  process.exit(0)
}

function renderPair({ dir, main, backup }: Pair): string {
  const lines = [main, backup].flatMap((server) => [
    `${server.name}: ${server.url} (${server.driver}), fingerprint ${server.fingerprint}`,
    `  INCUS_DIR=${server.dir} incus list`,
    `  curl -sk --cert ${dir}/client.crt --key ${dir}/client.key ${server.url}/1.0`,
  ])
  return [...lines, `Image "busybox" is on main. End both with: node test/lab/main.ts down ${dir}`].join('\n')
}

/** Ends the pair it is told, never all: another may be in use. */
async function down(dir: string | undefined): Promise<void> {
  if (dir !== undefined && (await endKept(dir))) return console.log(`removed ${dir}`)
  const kept = await listKept()
  console.error(kept.length === 0 ? 'no pair is up' : `name the pair to end: ${kept.join(' or ')}`)
  process.exitCode = 2
}

const [command, dir] = process.argv.slice(2)
if (command === 'up') await up()
else if (command === 'down') await down(dir)
else {
  console.error('usage: node test/lab/main.ts up | down <directory>')
  process.exitCode = 2
}
