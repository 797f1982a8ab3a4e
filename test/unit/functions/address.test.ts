/** Answers of the relay aren't signed: over what can be tampered with on the way nothing is sent. */
import { describe, expect, test } from 'vitest'
import { createApp } from '../../../functions/app.ts'
import type { Env } from '../../../functions/env.ts'
import { createRelay } from '../../../functions/incus/relay.ts'
import { createSign } from '../../../functions/incus/sign.ts'

const NOW = new Date('2026-11-22T03:00:00Z')
const secret = btoa('k'.repeat(32))

const USED = [
  'https://relay.example.org',
  'HTTPS://RELAY.EXAMPLE.ORG',
  'https://10.0.0.1:8788',
  'http://127.0.0.1:8788',
  'http://127.8.9.10',
  'http://[::1]:8788',
  'http://localhost:8788',
  'HTTP://LOCALHOST:8788',
]

const REFUSED = [
  'http://relay.example.org',
  'HTTP://RELAY.EXAMPLE.ORG',
  'http://10.0.0.1:8788',
  'http://192.168.1.2',
  'http://relay',
  'http://0.0.0.0:8788',
  'http://[::]:8788',
  'http://128.0.0.1',
  'http://127.0.0.1.evil.example',
  'http://127.evil.example',
  'http://localhost.evil',
  'http://localhost.',
  'http://evil.localhost',
  'http://notlocalhost',
  'http://[::ffff:10.0.0.1]',
  'http://[::ffff:127.0.0.1]',
  'http://[::1:1]',
  'http://127.0.0.1@evil.example',
  'http://localhost:8788@evil.example',
  'http://evil.example#127.0.0.1',
  'http://evil.example\\@127.0.0.1',
  'http://evil.example/127.0.0.1',
]

const NO_ADDRESS = [
  'relay.example.org',
  '//relay.example.org',
  'ws://127.0.0.1',
  'file:///etc',
  'localhost:8788',
]

const WITH_A_USER = [
  'https://user@relay.example.org',
  'https://user:pass@relay.example.org',
  'http://u:p@127.0.0.1',
]

/** What of a call was sent, and how it ended. */
async function callOf(url: string, isPrivate = false) {
  const sent: string[] = []
  const relay = createRelay({
    ...{ url, isPrivate, now: () => NOW, sign: await createSign({ keyid: 'k', secret }) },
    send: async (target) => {
      sent.push(String(target))
      return new Response('{"done":0}\n')
    },
  })
  const batch = await relay.batch([])
  const inventory = await relay.inventory({ remotes: [] })
  return { sent: sent.length, error: batch.error, refused: inventory.ok ? null : inventory.error.code }
}

describe('the relay’s address', () => {
  test.each(USED)('may be %s', async (url) => {
    expect(await callOf(url)).toMatchObject({ sent: 2, error: null })
  })

  test.each(REFUSED)('may not be %s', async (url) => {
    const { sent, error, refused } = await callOf(url)
    expect([sent, error?.code, refused]).toEqual([0, 'not-allowed', 'not-allowed'])
    expect(error?.message).toMatch(/RELAY_URL .*(https:\/\/|Remove)/)
  })

  test.each(REFUSED.filter((url) => !url.includes('@')))(
    'may be %s through a private binding',
    async (url) => {
      expect(await callOf(url, true)).toMatchObject({ sent: 2, error: null })
    },
  )

  test.each([...NO_ADDRESS, ...WITH_A_USER])('may never be %s', async (url) => {
    for (const isPrivate of [false, true]) expect((await callOf(url, isPrivate)).sent).toBe(0)
  })

  test('is told without the password in it', async () => {
    expect((await callOf('http://user:pass@relay.example.org')).error?.message).not.toMatch(/pass@|user:/)
  })
})

describe('the status', () => {
  const warningsAt = async (more: Partial<Env>): Promise<string[]> => {
    const env = {
      STATE: { get: async () => null, getWithMetadata: async () => ({ value: null, metadata: null }) },
      ...{ RELAY_KEY_ID: 'k', RELAY_KEY: secret, STAPES_TOKEN: 'token' },
      ...more,
    } as unknown as Env
    const headers = { authorization: 'Bearer token' }
    const response = await createApp(() => NOW).request('/api/status', { headers }, env)
    return ((await response.json()) as { warnings: string[] }).warnings
  }

  test('tells first that nothing is sent, and what to do', async () => {
    expect(await warningsAt({ RELAY_URL: 'http://relay.example.org' })).toEqual([
      expect.stringMatching(
        /nothing was sent to the relay: RELAY_URL is http:\/\/relay\.example\.org, .*https:\/\//,
      ),
    ])
  })

  test('says nothing of it where the address is safe', async () => {
    const nothing = [expect.stringContaining('no configuration was applied')]
    expect(await warningsAt({ RELAY_URL: 'https://relay.example.org' })).toEqual(nothing)
    const RELAY = { fetch: async () => new Response() } as unknown as Fetcher
    expect(await warningsAt({ RELAY_URL: 'http://relay', RELAY })).toEqual(nothing)
  })
})
