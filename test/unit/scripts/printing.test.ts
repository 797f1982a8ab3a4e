import { expect, test } from 'vitest'
import { renderHeader } from '../../../scripts/start/printing.ts'

const TOKEN = 'a-token-of-this-run'

const header = (fresh: boolean): string =>
  renderHeader({
    url: 'http://127.0.0.1:8787',
    settings: { port: 8787, token: TOKEN, fresh, document: { file: 'stapes.jsonc', text: '', value: {} } },
    link: { embedded: false, remotes: ['main   https://main:8443'] },
    chat: { endpoints: [] },
    applied: { version: 'v', policies: ['daily'], warnings: ['policy daily: nothing is copied to backup'] },
  } as unknown as Parameters<typeof renderHeader>[0])

test('what npm start prints to call it with hands curl the token by its input, not by an argument', () => {
  const calls = header(true)
    .split('\n')
    .filter((line) => line.includes('curl'))
  expect(calls).toHaveLength(3)
  for (const line of calls)
    expect(line).toMatch(/^ {2}printf 'Authorization: Bearer %s' "\$STAPES_TOKEN" \| curl -H @- [^"$]+$/)
})

test('npm start shows the warnings of what it applied', () => {
  expect(header(false)).toContain('  warning   policy daily: nothing is copied to backup')
})
