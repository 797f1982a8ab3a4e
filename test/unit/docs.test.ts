/** Pages are found, and their links lead somewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const DOCS = join(ROOT, 'docs')
const pages = readdirSync(DOCS).filter((name) => name.endsWith('.md'))
const nights = readdirSync(join(DOCS, 'worst-night')).map((name) => join('worst-night', name))
const read = (path: string): string => readFileSync(path, 'utf8')

/** As written: without web addresses. */
const linksOf = (text: string): string[] =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^https?:/.test(link))

/** As the web shows Markdown: letters, digits, hyphens. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )

test.for(pages.filter((name) => name !== 'README.md'))('%s stands in the list of all pages', (name) => {
  expect(linksOf(read(join(DOCS, 'README.md')))).toContain(name)
})

test.for(['README.md', ...[...pages, ...nights].map((name) => join('docs', name))])(
  'every link of %s leads somewhere',
  (page) => {
    const path = join(ROOT, page)
    const broken = linksOf(read(path)).filter((link) => {
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? path : join(dirname(path), file)
      if (!existsSync(target)) return true
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor)
    })
    expect(broken.map((link) => `${relative(ROOT, path)}: ${link}`)).toEqual([])
  },
)

/** Rows of the threat model: three columns, of which the last names the tests. */
const threatsIn = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| they try to'))
    .map((line) => line.split('|').slice(1, -1))

/** A test as it is named there: a file, or a file and a title in it. */
const isThere = (named: string): boolean => {
  const [, file = '', title] = /^`([^`]+)`(?: "([^"]+)")?$/.exec(named.trim()) ?? []
  const path = join(ROOT, file)
  return file !== '' && existsSync(path) && (title === undefined || read(path).includes(title))
}

test('each line of the threat model names tests that exist', () => {
  const threats = threatsIn(read(join(DOCS, 'security.md')))
  expect(threats.length).toBeGreaterThan(2)
  expect(threats.filter((cells) => cells.length !== 3)).toEqual([])
  const untested = threats.flatMap(([what = '', , tests = '']) =>
    tests.split(/,(?= `)/).flatMap((one) => (isThere(one) ? [] : [`${what.trim()}: ${one.trim()}`])),
  )
  expect(untested).toEqual([])
  expect(isThere('`test/unit/no-such.test.ts`')).toBe(false)
})
