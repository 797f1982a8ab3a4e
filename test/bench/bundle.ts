/** The Worker as a deploy would upload it: wrangler's dry run into a folder. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { atMost, type Report } from './figure.ts'

/** `script` is the one module that there is. */
export type Bundle = { folder: string; script: string; remove(): Promise<void> }

const ROOT = join(import.meta.dirname, '../..')

/** `root`: of a checkout, whose own wrangler makes it. */
export async function buildBundle(root: string = ROOT): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'stapes-bundle-'))
  const wrangler = createRequire(join(root, 'package.json')).resolve('wrangler')
  const args = ['--no-warnings', wrangler, 'deploy', '--dry-run', '--outdir', folder]
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false' }
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`wrangler could not bundle the Worker (exit code ${code})`)
  return { folder, script: 'index.js', remove: () => rm(folder, { recursive: true, force: true }) }
}

export async function benchBundle(): Promise<Report> {
  const bundle = await buildBundle()
  try {
    const script = await readFile(join(bundle.folder, bundle.script))
    return {
      figures: [atMost('Worker bundle, gzip', gzipSync(script).length / 1000, 'KB', 500)],
      notes: [`${(script.length / 1000).toFixed(0)} KB before gzip; minified by wrangler, as deployed`],
    }
  } finally {
    await bundle.remove()
  }
}
