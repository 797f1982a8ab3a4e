/** Pages are found, and their links lead somewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const DOCS = join(ROOT, 'docs')
const pages = readdirSync(DOCS).filter((name) => name.endsWith('.md'))
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

test.for(['README.md', ...pages.map((name) => join('docs', name))])(
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
