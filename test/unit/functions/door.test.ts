/** What the API answers without its token. */
import { expect, test } from 'vitest'
import { createApp } from '../../../functions/app.ts'
import type { Env } from '../../../functions/env.ts'

const ENV = {
  STATE: { get: async () => null } as unknown as KVNamespace,
  ...{ RELAY_URL: 'https://relay.example.org', RELAY_KEY_ID: 'worker', RELAY_KEY: btoa('k'.repeat(32)) },
  STAPES_TOKEN: 'right',
} satisfies Env

const challengeFor = async (authorization: string | null) => {
  const headers: Record<string, string> = authorization === null ? {} : { authorization }
  const app = createApp(() => new Date('2026-11-22T03:00:00Z'))
  const response = await app.request('/api/status', { headers }, ENV)
  return [response.status, response.headers.get('www-authenticate')]
}

test.for([
  ['no token', null, 'Bearer realm="stapes"'],
  ['another scheme', 'Basic dTpw', 'Bearer realm="stapes"'],
  ['a wrong token', 'Bearer wrong', 'Bearer realm="stapes", error="invalid_token"'],
] as const)('a request with %s is told how to authenticate', async ([, given, challenge]) => {
  expect(await challengeFor(given)).toEqual([401, challenge])
})

test('a request with the token is not told so', async () => {
  expect(await challengeFor('Bearer right')).toEqual([200, null])
})
