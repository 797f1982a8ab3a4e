/**
 * `npm run audit`: known vulnerabilities of all packages in package-lock.json; exits with 1 if one is high or
 * critical. A registry that gives no advisories is no failure, but it is said.
 */
import { spawnSync } from 'node:child_process'
import { judgeAudit } from './audit/judge.ts'
import { fail } from './fail.ts'
import { readOptions } from './options.ts'

readOptions([], 0, 'npm run audit')
const { stdout } = spawnSync('npm', ['audit', '--json'], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
})
const { state, text } = judgeAudit(stdout ?? '')
if (state === 'vulnerable') fail([text])
console.log(text)
