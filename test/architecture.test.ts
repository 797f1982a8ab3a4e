/** Laws that the compiler lets through: where code may reach, and that decisions stay pure. */
import { readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Kind } from '../shared/work/kind.ts'
import { KINDS } from '../shared/work/kinds.ts'
import { codeOf, ROOT, sourcesOf } from './sources.ts'

const importsOf = (file: string): string[] =>
  [...codeOf(file).matchAll(/\b(?:from|import)\s*\(?\s*'([^'\s]+)'/g)].map((found) => found[1] ?? '')

/** The first folder of what a relative import names; the import itself for a package. */
const reachOf = (file: string, target: string): string =>
  target.startsWith('.') ? (normalize(join(dirname(file), target)).split('/')[0] ?? '') : target

const ALLOWED: Record<string, { folders: string[]; packages: RegExp; because: string }> = {
  shared: {
    folders: ['shared'],
    packages: /^(cron-parser|jsonc-parser|zod\/mini)$/,
    because:
      'shared/ decides and holds no I/O; undici or node types would silence the compiler’s own refusals',
  },
  functions: {
    folders: ['functions', 'shared'],
    packages: /^(hono(\/.*)?|http-message-sig|jose|zod\/mini)$/,
    because: 'the Worker’s bundle stays small and without Node',
  },
  relay: {
    folders: ['relay', 'shared'],
    packages: /^(node:.*|undici|http-message-sig|zod(\/mini)?|age-encryption|aws4fetch|modern-tar|yaml)$/,
    because: 'the process that holds the client key depends on as little as it can',
  },
  scripts: {
    folders: ['scripts', 'relay', 'functions', 'shared'],
    packages:
      /^(node:.*|@stricli\/core|@clack\/prompts|undici|jsonc-parser|zod\/mini|@peculiar\/x509|reflect-metadata|miniflare|wrangler)$/,
    because: 'what people run is not made of what tests it',
  },
}

/** What `npm start` shows where there is no Incus is the tests' stand-in; it is loaded only then. */
const SHOWN = { file: 'scripts/start/link.ts', target: '../../test/emulator/start.ts' }

describe.each(Object.entries(ALLOWED))('%s', (folder, { folders, packages, because }) => {
  test('imports only what it may', () => {
    const strangers = sourcesOf(folder).flatMap((file) =>
      importsOf(file)
        .filter((target) => !(file === SHOWN.file && target === SHOWN.target))
        .filter((target) => {
          const reach = reachOf(file, target)
          return target.startsWith('.') ? !folders.includes(reach) : !packages.test(target)
        })
        .map((target) => `${relative('.', file)} imports ${target}: ${because}`),
    )
    expect(strangers).toEqual([])
  })
})

test('the stand-in for Incus is loaded by nobody else, and not before it is needed', () => {
  expect(codeOf(SHOWN.file)).toContain(`await import('${SHOWN.target}')`)
  expect(importsOf(SHOWN.file).filter((target) => target === SHOWN.target)).toHaveLength(1)
})

test('Node reads every file as it is: benchmarks, relay and scripts run without a compiler', () => {
  const refusals = ['shared', 'functions', 'relay', 'scripts', 'test']
    .flatMap((folder) => sourcesOf(folder))
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      try {
        stripTypeScriptTypes(readFileSync(join(ROOT, file), 'utf8'))
        return []
      } catch (error) {
        return [`${file}: ${(error as Error).message}`]
      }
    })
  expect(refusals).toEqual([])
})

/** What a file reaches through its imports, types included. */
function reachedFrom(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const target of importsOf(file).filter((one) => one.startsWith('.')))
    reachedFrom(normalize(join(dirname(file), target)), seen)
  return seen
}

const IMPURE: [RegExp, string][] = [
  [/\bDate\.now\s*\(/, 'the time is a parameter'],
  [/\bnew Date\(\s*\)/, 'the time is a parameter'],
  [/\bMath\.random\s*\(/, 'randomness is a parameter'],
  [/\bglobalThis\b/, 'there are no globals here'],
  [/\b(fetch|setTimeout|setInterval|console)\s*[.(]/, 'effects live at the edges'],
  [/\bas any\b|:\s*any\b/, 'unknown in, narrow type out'],
]

test('shared/ reads no clock, no randomness and no globals', () => {
  const found = sourcesOf('shared').flatMap((file) =>
    IMPURE.filter(([pattern]) => pattern.test(codeOf(file))).map(
      ([pattern, because]) => `${file} has ${pattern}: ${because}`,
    ),
  )
  expect(found).toEqual([])
})

test('the law would notice', () => {
  expect(IMPURE.filter(([pattern]) => pattern.test('const at = new Date()'))).toHaveLength(1)
  expect(reachOf('shared/plan/x.ts', '../../relay/main.ts')).toBe('relay')
})

test('modules are replaced in two files alone, which share them with no other', () => {
  const replacing = sourcesOf('test').filter((file) =>
    /\bvi\.(mock|doMock|resetModules)\(/.test(codeOf(file)),
  )
  expect(replacing.sort()).toEqual(['test/simulation/broken-parts.test.ts', 'test/simulation/broken.test.ts'])
})

test('policy code of the Worker reads the clock only where it is called from outside', () => {
  const readers = sourcesOf('functions').filter((file) => /\bnew Date\(\s*\)|Date\.now\(/.test(codeOf(file)))
  expect(readers).toEqual(['functions/env.ts', 'functions/index.ts'])
})

test('no file imports itself through others, not even for a type', () => {
  const files = Object.keys(ALLOWED).flatMap((folder) => sourcesOf(folder))
  const known = new Set(files)
  const ended = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    const from = path.indexOf(file)
    if (from >= 0) {
      const circle = [...path.slice(from), file]
      circles.push(circle.map((one) => relative('.', one)).join(' > '))
    } else if (!ended.has(file)) {
      for (const target of importsOf(file).filter((one) => one.startsWith('.'))) {
        const next = join(dirname(file), target)
        if (known.has(next)) visit(next, [...path, file])
      }
      ended.add(file)
    }
  }
  for (const file of files) visit(file, [])
  expect(circles).toEqual([])
})

describe('the folders of the kinds of work', () => {
  const ROOMS = readdirSync(join(ROOT, 'shared/work'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()

  test('are all in the list of kinds, by their names', () => {
    expect(KINDS.map(({ name }) => name).sort()).toEqual(ROOMS)
  })

  test('give no action and no request a name that another kind gives', () => {
    for (const part of ['verbs', 'requests'] as const) {
      const names = KINDS.flatMap((kind) => Object.keys(kind[part] ?? {}))
      expect(names.toSorted()).toEqual([...new Set(names)].sort())
    }
  })

  /** What a kind can have, and the file that it then stands in. */
  const PARTS: [file: string, has: (kind: Kind) => boolean][] = [
    ['kind.ts', () => true],
    ['action.ts', () => true],
    ['steps.ts', () => true],
    ['lines.ts', () => true],
    ['schedule.ts', ({ schedule }) => schedule !== undefined],
    ['request.ts', ({ requests }) => requests !== undefined],
    ['record.ts', ({ record }) => record !== undefined],
    ['digest.ts', ({ verbs }) => Object.values(verbs).some(({ essence }) => essence !== undefined)],
    ['guard.ts', ({ guard }) => guard !== undefined],
    ['look.ts', ({ look }) => look !== undefined],
    ['entry.ts', ({ long }) => long !== undefined],
    ['progress.ts', ({ long }) => long !== undefined],
    ['simulate.ts', ({ verbs }) => Object.values(verbs).some(({ simulate }) => simulate !== undefined)],
  ]

  test.each(KINDS.map((kind) => [kind.name, kind] as const))(
    '%s has its parts in the files that all have them in, and none for what it lacks',
    (name, kind) => {
      const files = readdirSync(join(ROOT, 'shared/work', name))
      const parts = PARTS.filter(([file]) => files.includes(file)).map(([file]) => file)
      expect(parts).toEqual(PARTS.filter(([, has]) => has(kind)).map(([file]) => file))
      const reached = reachedFrom(`shared/work/${name}/kind.ts`)
      expect(files.filter((file) => !reached.has(`shared/work/${name}/${file}`))).toEqual([])
    },
  )

  /** What others may import from a kind's folder: data, and what is stored in Incus or the ledger. */
  const SEAMS = [
    /^[a-z]+\/(kind|action|lines)\.ts$/,
    // What is verified on a copy, and whose copy that is.
    /^copy\/(marks|replica|transfer|entry|cut-off)\.ts$/,
    // The mark of a restore that is under way, and what is known of a snapshot's completeness.
    /^restore\/(mark|evidence|safety)\.ts$/,
    // What stands beside an exported file, what policies want of exports, and how the last one stands.
    /^export\/(manifest|notes|due|entry)\.ts$/,
    // Why each of them stays.
    /^thinning\/(sort|brake)\.ts$/,
    // Whether the newest one is what was stored.
    /^check\/entry\.ts$/,
    // The mark of a new instance that is being made.
    /^clone\/mark\.ts$/,
  ]

  const roomOf = (file: string): string | null => /^shared\/work\/([^/]+)\//.exec(file)?.[1] ?? null

  test('are entered by others only through their seams', () => {
    const entered = ['shared', 'functions', 'relay', 'scripts'].flatMap((folder) =>
      sourcesOf(folder).flatMap((file) =>
        importsOf(file)
          .filter((target) => target.startsWith('.'))
          .map((target) => normalize(join(dirname(file), target)))
          .filter((target) => roomOf(target) !== null && roomOf(target) !== roomOf(file))
          .filter((target) => !SEAMS.some((seam) => seam.test(target.slice('shared/work/'.length))))
          .map((target) => `${file} imports ${target}`),
      ),
    )
    expect(entered).toEqual([])
    expect(roomOf('shared/work/copy/judge.ts')).toBe('copy')
  })

  /** What goes over the list. */
  const ENGINE = [
    ...['decide', 'requested', 'record', 'lines', 'jobs', 'finding'].map((name) => `shared/plan/${name}.ts`),
    ...['jobs', 'life', 'verbs', 'kind'].map((name) => `shared/work/${name}.ts`),
    ...['perform', 'run', 'summary', 'observe', 'change'].map((name) => `functions/${name}.ts`),
    ...['functions/api/status.ts', 'functions/api/read-request.ts', 'functions/chatops/follow.ts'],
    ...['tally', 'progress', 'progress-message', 'watch'].map((name) => `shared/chat/${name}.ts`),
    ...['shared/command/work.ts', 'shared/ledger/ahead.ts'],
  ]

  test('are known by name to nothing that goes over the list', () => {
    const words = KINDS.flatMap(({ name, verbs }) => [name, ...Object.keys(verbs)])
    const named = new RegExp(`'(${[...new Set(words)].join('|')})'`)
    expect(ENGINE.filter((file) => named.test(codeOf(file)))).toEqual([])
    expect(
      ENGINE.flatMap((file) => importsOf(file).filter((target) => /work\/[a-z]+\//.test(target))),
    ).toEqual([])
    expect(named.test("action.kind === 'copy'")).toBe(true)
  })
})
