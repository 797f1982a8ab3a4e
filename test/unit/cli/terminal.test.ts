/** What a terminal shows is what was said. */
import { expect, test } from 'vitest'
import { createTerminal, type Terminal } from '../../../scripts/cli/terminal.ts'
import { commands } from '../../../shared/command/commands.ts'

function printed(json: boolean, print: (terminal: Terminal) => void): string {
  let out = ''
  const stream = {
    write(more: string) {
      out += more
    },
  }
  print(createTerminal({ stdout: stream, stderr: stream }, { json, command: 'put', env: {} }))
  return out
}

const shown = (text: string): string => printed(false, ({ say }) => say(text))

test('JSON has names as they are, and nothing that a terminal obeys', () => {
  const name = 'a\u001b[2J\u009b2J\u202ee\u2028\u007f'
  const out = printed(true, ({ data }) => data({ name }))
  expect(out).toMatch(/^[\n\x20-\x7e]+$/)
  expect(JSON.parse(out)).toMatchObject({ name })
})

test.each([
  '/var/backups/dpkg.status.0',
  '/backup',
  '/backup/db list',
  '/srv/backup list',
  '/backup to 12:00',
])('the path %s stays as it is', (path) => expect(shown(`put ${path}`)).toBe(`put ${path}`))

test.each(commands.map(({ name }) => name))('%s is called as in a shell', (name) => {
  expect(shown(`ask again: "/backup ${name}"; /backup ${name} web1`)).toBe(
    `ask again: "stapes ${name}"; stapes ${name} web1`,
  )
})
