/** The package as `npm pack` makes it: what is in it, and that command and relay run from it without what only tests need. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { endProcess, relayEnvironment, startRelayProcess, urlOf } from '../bench/relay-process.ts'
import { newKey } from '../bench/worker.ts'
import { createCertificate } from '../lab/certificate.ts'

const ROOT = join(import.meta.dirname, '../..')
/** With its folders; the package is unpacked as npm does. */
const FOLDER = mkdtempSync(join(tmpdir(), 'stapes-packed-'))
const PACKAGE = join(FOLDER, 'node_modules/stapes')
const COMMAND = join(PACKAGE, 'dist/scripts/stapes.js')
const MODULES = join(ROOT, 'node_modules')

/** In a namespace of its own, where nothing belongs to root. */
const NOBODY = ['--user', '--map-user=65534', '--map-group=65534', '--keep-caps']

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
  expect(files.filter((path) => /\.test\.ts$|^dist\/test|\.env|\.pem$/.test(path))).toEqual([])
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
  expect(called(['init', '--yes'])).toMatchObject({
    status: 2,
    stdout: expect.stringContaining('incus config trust add'),
    stderr: expect.stringContaining('Not trusted yet by main and backup'),
  })
  expect(called(['start'])).toMatchObject({ status: 1, stderr: expect.stringContaining('needs a checkout') })
})

/** One that gives no answer. */
async function nowhere() {
  const trusted = await createCertificate('relay')
  const clients = { trusted } as never
  return { name: 'main' as const, url: 'https://127.0.0.1:1', fingerprint: 'a'.repeat(64), clients }
}

test('the relay runs from it', async () => {
  const relay = await startRelayProcess([await nowhere()], newKey(), {}, [COMMAND, 'relay'])
  try {
    expect((await fetch(new URL('/healthz', relay.url))).status).toBe(200)
  } finally {
    await relay.close()
  }
})

describe('the service', () => {
  const UNIT = join(ROOT, 'relay/service/stapes-relay.service')

  test('is one that systemd understands, and that can do little', () => {
    const unit = join(FOLDER, 'stapes-relay.service')
    // What it runs is not installed here.
    writeFileSync(
      unit,
      readFileSync(UNIT, 'utf8').replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`),
    )
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' })
    expect([verified.status, verified.stderr]).toEqual([0, ''])
    // Tenths; 100 is a service without any limits.
    const judged = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=15', unit])
    expect(judged.status).toBe(0)
  })

  test('runs without any capability, on a file system that it can’t write, with its state in one folder', async () => {
    const state = join(FOLDER, 'state')
    mkdirSync(state, { mode: 0o700 })
    writeFileSync(join(state, 'relay.jsonc'), '{}', { mode: 0o600 })
    const confined = [
      'mount --bind "$0" "$0" && mount -o remount,bind,ro / && cd "$0" && exec setpriv',
      '--bounding-set=-all --inh-caps=-all --no-new-privs "$@"',
    ].join(' ')
    const main = join(PACKAGE, 'dist/relay/main.js')
    const child = spawn(
      'unshare',
      [...NOBODY, '--mount', 'sh', '-c', confined, state, process.execPath, main],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
          PATH: process.env.PATH,
          ...relayEnvironment([await nowhere()], newKey(), join(state, 'relay.jsonc')),
        },
      },
    )
    try {
      expect((await fetch(new URL('/healthz', await urlOf(child)))).status).toBe(200)
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      expect(status).toMatch(/^CapEff:\t0+$/m)
      expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    } finally {
      await endProcess(child)
    }
    expect(readdirSync(state)).toContain('relay.jsonc')
  })
})
