/**
 * `npm run bench [-- name… --json --instances=300 --rounds=3 --incus=<incusd> --against=<checkout> --mebibytes=2048]`: how good it is, as figures beside
 * their bounds. Ends with 1 when a bound is missed.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { INCUSD } from '../lab/installed.ts'
import { benchBundle } from './bundle.ts'
import { benchCounts } from './counts.ts'
import { benchExports } from './exports.ts'
import { isMissed, type Report, renderReport } from './figure.ts'
import { benchForwarding } from './forwarding.ts'
import { benchListing } from './listing.ts'
import { benchOffsite } from './offsite.ts'
import { benchPage } from './page.ts'
import { benchProcessor } from './processor.ts'
import { benchRelayMode } from './relay-mode.ts'
import { benchStartup } from './startup.ts'
import { benchTick } from './tick.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    instances: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '3' },
    incus: { type: 'string', default: INCUSD },
    against: { type: 'string' },
    mebibytes: { type: 'string', default: '2048' },
  },
})

// What goes on is for the one who waits; the result alone is on stdout.
const onRound = (line: string): void => console.error(`  ${line}`)
const [instances = 0, rounds = 0] = [values.instances, values.rounds].map(Number)
if (!(Number.isInteger(instances) && instances > 0 && Number.isInteger(rounds) && rounds > 0)) {
  console.error('--instances and --rounds: expected a whole number of at least 1')
  process.exit(2)
}

const ofTicks = { instances, rounds, daemons: { main: values.incus, backup: values.incus }, onRound }

const benches: Record<string, () => Promise<Report>> = {
  bundle: benchBundle,
  processor: benchProcessor,
  page: benchPage,
  startup: () => benchStartup({ against: values.against, onRound }),
  counts: benchCounts,
  exports: benchExports,
  forwarding: benchForwarding,
  offsite: () => benchOffsite({ incusd: values.incus, rounds, mebibytes: Number(values.mebibytes), onRound }),
  listing: () => benchListing({ incusd: values.incus, onRound }),
  'relay-mode': () => benchRelayMode({ rounds, incusd: values.incus, onRound }),
  tick: () => benchTick({ subjects: 'instances', ...ofTicks }),
  volumes: () => benchTick({ subjects: 'volumes', ...ofTicks }),
}

const unknown = positionals.filter((name) => benches[name] === undefined)
if (unknown.length > 0) {
  console.error(`no bench "${unknown.join('", "')}"; there are: ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}

const reports: Record<string, Report> = {}
for (const [name, bench] of Object.entries(benches)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  console.error(`${name} …`)
  const report = await bench()
  reports[name] = report
  if (!values.json) console.log(`${name}\n${renderReport(report)}\n`)
}
if (values.json) console.log(JSON.stringify({ machine: `${cpus().length} processors`, reports }, null, 2))

const missed = Object.values(reports).flatMap(({ figures }) => figures.filter(isMissed))
for (const { name } of missed) console.error(`missed: ${name}`)
process.exit(missed.length > 0 ? 1 : 0)
