/** Secrets whose names a configuration gives: what may be read, where they may lead, and what is said of them. */
import { expect, test } from 'vitest'
import { addressProblem, secretOf } from '../../../functions/vault.ts'

const FORM = { names: /^PING_[A-Z]+$/, problemOf: addressProblem }
const read = (address: string, name = 'PING_ALL') =>
  secretOf((asked) => (asked === name ? address : undefined), name, FORM)

test.each([
  'https://hc.example.org/key',
  'http://127.0.0.1:8000/key',
  'http://[::1]/x',
  'http://localhost/x',
])('%s may be an address', (address) => {
  expect(read(address)).toEqual({ ok: true, value: address })
})

test.each([
  ['none', 'hc-ping.com/x', 'is no https:// address'],
  ['of another kind', 'file:///etc/passwd', 'is no https:// address'],
  ['one that others can read on the way', 'http://kuma.example.org/x', 'is an http:// address'],
  ['one that only begins like this machine', 'http://127.0.0.1.example.org/x', 'is an http:// address'],
  ['one with a password', 'https://u:p@kuma.example.org/x', 'names a user or a password'],
])('an address that is %s is refused, and not shown', (_, address, why) => {
  const refused = read(address)
  expect(refused).toEqual({ ok: false, error: expect.stringContaining(`the secret PING_ALL ${why}`) })
  expect(JSON.stringify(refused)).not.toContain(address)
})

test('what is not set or can’t be used says how to set it, deployed and here', () => {
  const how = ': npx wrangler secret put PING_ALL, or for npm start PING_ALL=… in .env'
  expect(read('')).toEqual({ ok: false, error: `the secret PING_ALL is not set${how}` })
  expect(read('none')).toEqual({ ok: false, error: expect.stringContaining(how) })
})

test('a secret of another name is not read', () => {
  expect(read('https://hc.example.org', 'RELAY_KEY')).toMatchObject({ ok: false })
})
