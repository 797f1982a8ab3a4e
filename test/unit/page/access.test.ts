/** Cloudflare Access in front of the page: only a token of that team, for that application, in its time. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openStage } from '../../page/stage.ts'
import { createWorld } from '../../simulation/world.ts'

const START = new Date('2026-11-20T00:00:30Z')
const SECONDS = START.getTime() / 1000
const TEAM = 'https://acme.cloudflareaccess.com'

const ours = await generateKeyPair('RS256')
const theirs = await generateKeyPair('RS256')
const published = { keys: [{ ...(await exportJWK(ours.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] }

type Claims = { iss?: string; aud?: string; exp?: number; nbf?: number }

const tokenOf = (claims: Claims = {}, { privateKey } = ours): Promise<string> =>
  new SignJWT({ iss: TEAM, aud: 'app', exp: SECONDS + 60, ...claims, email: 'ann@example.org' })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .sign(privateKey)

const CONFIGURED = { ACCESS_TEAM: 'acme.cloudflareaccess.com', ACCESS_AUD: 'app' }
let fetched: string[] = []

beforeEach(() => {
  fetched = []
  vi.spyOn(console, 'error').mockImplementation(() => {})
  vi.stubGlobal('fetch', async (url: string | URL) => {
    fetched.push(String(url))
    return Response.json(published)
  })
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const statusFor = async (token: string, env: object = CONFIGURED): Promise<number> => {
  const stage = openStage(createWorld({ start: START }), env)
  return (await stage.get('/', { 'cf-access-jwt-assertion': token })).status
}

test('who passed Access sees the page without the token', async () => {
  expect(await statusFor(await tokenOf())).toBe(200)
  expect(fetched).toEqual([`${TEAM}/cdn-cgi/access/certs`])
})

test.for<[string, () => Promise<string>]>([
  ['of another team', () => tokenOf({ iss: 'https://evil.cloudflareaccess.com' })],
  ['for another application of the team', () => tokenOf({ aud: 'wiki' })],
  ['that has expired', () => tokenOf({ exp: SECONDS - 1 })],
  ['that does not hold yet', () => tokenOf({ nbf: SECONDS + 600 })],
  ['signed by somebody else', () => tokenOf({}, theirs)],
  ['that is none', async () => 'abc'],
  [
    'without a signature',
    async () => {
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      return `${part({ alg: 'none' })}.${part({ iss: TEAM, aud: 'app', exp: SECONDS + 60 })}.`
    },
  ],
  [
    'signed with the public key as a secret',
    async () =>
      new SignJWT({ iss: TEAM, aud: 'app', exp: SECONDS + 60 })
        .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
        .sign(new TextEncoder().encode(JSON.stringify(published.keys[0]))),
  ],
])('a token %s lets nobody in', async ([, token]) => {
  expect(await statusFor(await token())).toBe(401)
})

test('without both settings no token of Access is looked at', async () => {
  const token = await tokenOf()
  for (const env of [{}, { ACCESS_TEAM: TEAM }, { ACCESS_AUD: 'app' }]) {
    expect(await statusFor(token, env)).toBe(401)
    expect(fetched).toEqual([])
  }
})
