/** `node test/lab/main.ts up|down`: a real pair to work with by hand. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Pair, startPair, sweep } from './pair.ts'

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
  return [...lines, 'Image "busybox" is on main. End both with: node test/lab/main.ts down'].join('\n')
}

async function down(): Promise<void> {
  const swept = await sweep({ kept: true })
  console.log(swept.length === 0 ? 'no lab was up' : `removed ${swept.join(', ')}`)
}

const command = process.argv[2]
if (command === 'up') await up()
else if (command === 'down') await down()
else {
  console.error('usage: node test/lab/main.ts up|down')
  process.exitCode = 2
}
