/**
 * `npm run lab -- up`, `down <directory>`: a real pair to work with by hand; `--incus <incusd>`: with that daemon,
 * or, alone, the contract suite on a pair of it.
 */

import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { missingForLab } from './installed.ts'
import { type Daemons, endKept, INSTALLED, listKept, type Pair, startPair } from './pair.ts'

async function up(daemons: Daemons): Promise<void> {
  const pair = await startPair({ keep: true, daemons })
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
  return [...lines, `Image "busybox" is on main. End both with: npm run lab -- down ${dir}`].join('\n')
}

/** Ends the pair it is told, never all: another may be in use. */
async function down(dir: string | undefined): Promise<void> {
  if (dir !== undefined && (await endKept(dir))) return console.log(`removed ${dir}`)
  const kept = await listKept()
  console.error(kept.length === 0 ? 'no pair is up' : `name the pair to end: ${kept.join(' or ')}`)
  process.exitCode = 2
}

/** In a process of its own, as the test runner wants it. */
function judge(incusd: string): void {
  const missing = missingForLab([incusd])
  if (missing !== null) {
    console.error(missing)
    process.exitCode = 1
    return
  }
  const child = spawnSync('npx', ['vitest', 'run', 'test/contract/real.test.ts'], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: 'inherit',
    env: { ...process.env, LAB_INCUSD: resolve(incusd) },
  })
  process.exitCode = child.status ?? 1
}

const { values, positionals } = parseArgs({
  options: { incus: { type: 'string' } },
  allowPositionals: true,
})
const [command, dir] = positionals
const { incus } = values
if (command === 'up') await up(incus === undefined ? INSTALLED : { main: incus, backup: incus })
else if (command === 'down') await down(dir)
else if (command === undefined && incus !== undefined) judge(incus)
else {
  console.error('usage: npm run lab -- up [--incus <incusd>] | down <directory> | --incus <incusd>')
  process.exitCode = 2
}
