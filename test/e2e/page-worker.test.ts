/** The page in workerd, as it is deployed: sign-in, and Cloudflare Access by the keys that its team publishes. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LiveWorker, newKey, startWorker } from './worker.ts'

const TEAM = 'https://acme.cloudflareaccess.com'

let worker: LiveWorker
let tokenOf: (audience: string) => Promise<string>

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const published = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] }
  tokenOf = (audience) =>
    new SignJWT({ email: 'ann@example.org' })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .setIssuer(TEAM)
      .setAudience(audience)
      .setExpirationTime('1m')
      .sign(privateKey)
  worker = await startWorker('http://127.0.0.1:9', newKey(), {
    secrets: { ACCESS_TEAM: 'acme.cloudflareaccess.com', ACCESS_AUD: 'app' },
    outside: ({ url }) =>
      url === `${TEAM}/cdn-cgi/access/certs` ? Promise.resolve(Response.json(published)) : null,
  })
})
afterAll(() => worker?.close())

test('a stranger sees the form, and who sends the token with it the page', async () => {
  const form = await worker.fetch('/', { token: null })
  expect([form.status, form.headers.get('content-type')]).toEqual([401, 'text/html; charset=UTF-8'])
  expect(await form.text()).toContain('action="/sign-in"')
  const headers = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams({ token: worker.token }).toString()
  const entered = await worker.fetch('/sign-in', { method: 'POST', token: null, headers, body })
  const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? ''
  expect(cookie).toMatch(/stapes=\d+\./)
  const page = await worker.fetch('/', { token: null, headers: { cookie } })
  expect([page.status, (await page.text()).includes('Not everything is protected')]).toEqual([200, true])
})

test('who passed Access sees the page, and with a token for another application the form', async () => {
  const statusFor = async (audience: string) =>
    (
      await worker.fetch('/', {
        token: null,
        headers: { 'cf-access-jwt-assertion': await tokenOf(audience) },
      })
    ).status
  expect([await statusFor('app'), await statusFor('wiki')]).toEqual([200, 401])
})
