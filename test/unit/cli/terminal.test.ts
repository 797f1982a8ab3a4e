/** What a terminal shows is what was said. */
import { expect, test } from 'vitest'
import { createTerminal } from '../../../scripts/cli/terminal.ts'
import { commands } from '../../../shared/command/commands.ts'

const shown = (text: string): string => {
  let out = ''
  const stream = {
    write(more: string) {
      out += more
    },
  }
  createTerminal({ stdout: stream, stderr: stream }, { json: false, command: 'put', env: {} }).say(text)
  return out
}

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
