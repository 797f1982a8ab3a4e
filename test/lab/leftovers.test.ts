import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const LEFTOVERS = new URL('leftovers.ts', import.meta.url).href

test('what names a pair’s directory is of the pair, but not whoever was told to end it', async () => {
  const dir = '/tmp/stapes-lab-nobody'
  const daemon = spawn('sh', ['-c', 'sleep 30; true', dir], { stdio: 'ignore' })
  try {
    const look = `import { processesOf } from '${LEFTOVERS}'; console.log(await processesOf('${dir}'))`
    const script = `"$0" --no-warnings --input-type=module -e "$1"; true ${dir}`
    const { stdout } = await promisify(execFile)('sh', ['-c', script, process.execPath, look])
    expect(JSON.parse(stdout)).toEqual([daemon.pid])
  } finally {
    daemon.kill()
  }
})
