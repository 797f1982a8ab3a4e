/** What is installed is what was looked at: pinned, with its digest in the lock file, and in the list of parts. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { judgeAudit } from '../../../scripts/audit/judge.ts'
import { ROOT } from '../../sources.ts'

type Package = { version: string; integrity?: string; resolved?: string; link?: boolean }
type Lock = { packages: Record<string, Package> }

const readJson = (file: string): unknown => JSON.parse(readFileSync(join(ROOT, file), 'utf8'))
const packagesOf = (file: string): [string, Package][] =>
  Object.entries((readJson(file) as Lock).packages).filter(([path]) => path !== '')
const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)

test('every dependency is pinned to one version', () => {
  const { dependencies, devDependencies } = readJson('package.json') as Record<string, Record<string, string>>
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
  )
  expect(loose).toEqual([])
})

test('the lock file has the digest of every package, and none from anywhere else than the registry', () => {
  const packages = packagesOf('package-lock.json')
  expect(packages.length).toBeGreaterThan(100)
  expect(packages.filter(([, { integrity = '' }]) => !/^sha512-[\w+/]{86}==$/.test(integrity))).toEqual([])
  const foreign = packages.filter(
    ([, { resolved = '', link }]) => link === true || !/^($|https:\/\/registry\.npmjs\.org\/)/.test(resolved),
  )
  expect(foreign).toEqual([])
})

test('what is installed here has the digests of the lock file', () => {
  const locked = new Map(packagesOf('package-lock.json'))
  const installed = packagesOf('node_modules/.package-lock.json')
  const other = installed.filter(([path, { integrity }]) => locked.get(path)?.integrity !== integrity)
  expect(other.map(([path]) => path)).toEqual([])
})

const npm = Number(execFileSync('npm', ['--version'], { encoding: 'utf8' }).split('.')[0])

describe.skipIf(npm < 10)('npm run sbom (npm 10 and newer have it)', () => {
  test('lists each installed package with its version and digest', () => {
    const text = execFileSync('npm', ['run', '-s', 'sbom'], { cwd: ROOT, encoding: 'utf8' })
    const { bomFormat, components } = JSON.parse(text) as {
      bomFormat: string
      components: { name: string; version: string; hashes?: { alg: string; content: string }[] }[]
    }
    expect(bomFormat).toBe('CycloneDX')
    const listed = new Set(
      components.map(
        ({ name, version, hashes }) => `${name}@${version} ${hashes?.[0]?.alg} ${hashes?.[0]?.content}`,
      ),
    )
    const missing = packagesOf('node_modules/.package-lock.json')
      .map(([path, { version, integrity = '' }]) => {
        const digest = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex')
        return `${nameOf(path)}@${version} SHA-512 ${digest}`
      })
      .filter((one) => !listed.has(one))
    expect(missing).toEqual([])
  })
})

describe('npm run audit', () => {
  const found = (high: number, critical = 0): string =>
    JSON.stringify({ metadata: { vulnerabilities: { info: 0, low: 1, moderate: 2, high, critical } } })

  test('fails where a known vulnerability is high or critical, and not for less', () => {
    expect(
      [judgeAudit(found(0)), judgeAudit(found(1)), judgeAudit(found(0, 1))].map(({ state }) => state),
    ).toEqual(['sound', 'vulnerable', 'vulnerable'])
  })

  test.each([
    '',
    '{}',
    '<html>',
    '{"message": "405 Method Not Allowed"}',
    '{"metadata": {"vulnerabilities": {}}}',
  ])('a registry that answers with %j was not asked, and that is neither good nor bad', (output) => {
    expect(judgeAudit(output)).toMatchObject({
      state: 'unasked',
      text: expect.stringContaining('nothing was checked'),
    })
  })
})
