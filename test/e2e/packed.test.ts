/** The package as `npm pack` makes it: what is in it, and that command and relay run from it without what only tests need. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRelayProcess } from '../bench/relay-process.ts'
import { newKey } from '../bench/worker.ts'
import { createCertificate } from '../lab/certificate.ts'

const ROOT = join(import.meta.dirname, '../..')
/** With its folders; the package is unpacked as npm does. */
const FOLDER = mkdtempSync(join(tmpdir(), 'stapes-packed-'))
const PACKAGE = join(FOLDER, 'node_modules/stapes')
const COMMAND = join(PACKAGE, 'dist/scripts/stapes.js')
const MODULES = join(ROOT, 'node_modules')

let files: string[] = []

beforeAll(() => {
  const made = execFileSync('npm', ['pack', '--json', '--pack-destination', FOLDER], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [packed] = Object.values(
    JSON.parse(String(made)) as Record<string, { filename: string; files: { path: string }[] }>,
  )
  files = packed?.files.map(({ path }) => path) ?? []
  mkdirSync(PACKAGE, { recursive: true })
  execFileSync('tar', ['-xzf', join(FOLDER, packed?.filename ?? ''), '-C', PACKAGE, '--strip-components=1'])
  for (const path of runtimeModules()) {
    const target = join(FOLDER, 'node_modules', relative(MODULES, path))
    mkdirSync(dirname(target), { recursive: true })
    symlinkSync(path, target)
  }
})
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

/** What npm installs with the package. Nested ones come with their parents. */
function runtimeModules(): string[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>
  }
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => dev !== true && path.split('node_modules/').length === 2)
    .map(([path]) => join(ROOT, path))
}

const called = (words: readonly string[], env: Record<string, string> = {}) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...words], {
    cwd: FOLDER,
    env,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('it holds the Worker, the relay and the command, and no more', () => {
  const folders = [...new Set(files.map((path) => (path.includes('/') ? path.split('/')[0] : path)))].sort()
  expect(folders).toEqual(
    [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist',
      'docs',
      'functions',
      'package.json',
      'shared',
      'stapes.schema.json',
      'wrangler.toml',
    ].sort(),
  )
  expect(files.filter((path) => /\.test\.ts$|^dist\/test|^dist\/functions|\.env|\.pem$/.test(path))).toEqual(
    [],
  )
  expect(files).toContain('dist/relay/main.js')
})

test('the command runs from it', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  expect(called(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' })
  expect(called(['status'])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('STAPES_TOKEN is not set'),
  })
  expect(called(['trust', '--help'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('npm run trust'),
  })
  expect(called(['start'])).toMatchObject({ status: 1, stderr: expect.stringContaining('needs a checkout') })
})

test('the relay runs from it', async () => {
  const trusted = await createCertificate('relay')
  const clients = { trusted } as never
  const server = { name: 'main' as const, url: 'https://127.0.0.1:1', fingerprint: 'a'.repeat(64), clients }
  const relay = await startRelayProcess([server], newKey(), {}, [COMMAND, 'relay'])
  try {
    expect((await fetch(new URL('/healthz', relay.url))).status).toBe(200)
  } finally {
    await relay.close()
  }
})
