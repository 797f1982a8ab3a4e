/** What an answer that isn't the relay's says of the call: that it never arrived, or nothing. */
import { expect, test } from 'vitest'
import { type Env, relayProblemOf } from '../../../functions/env.ts'
import { createRelay } from '../../../functions/incus/relay.ts'
import { createSign } from '../../../functions/incus/sign.ts'

const secret = btoa('k'.repeat(32))

const batchErrorOf = async (status: number): Promise<string | undefined> => {
  const relay = createRelay({
    url: 'https://relay.example',
    sign: await createSign({ keyid: 'k', secret }),
    send: async () => new Response('error page', { status }),
    now: () => new Date('2026-11-22T03:00:00Z'),
  })
  return (await relay.batch([])).error?.code
}

test.for([503, 521, 522, 523, 525, 526, 530])('%i: nobody was there, so nothing was done', async (status) => {
  expect(await batchErrorOf(status)).toBe('unreachable')
})

test.for([500, 502, 504, 520, 524, 599])(
  '%i: it may have arrived, so what came of it is unknown',
  async (status) => {
    expect(await batchErrorOf(status)).toBe('timeout')
  },
)

test.for([
  [401, 'not-allowed'],
  [400, 'bad-request'],
  [413, 'bad-request'],
] as const)('%i: the relay refused it', async ([status, code]) => {
  expect(await batchErrorOf(status)).toBe(code)
})

test('a redirect is not followed, for what it leads to was not checked', async () => {
  const seen: (RequestInit | undefined)[] = []
  const relay = createRelay({
    url: 'https://relay.example',
    sign: await createSign({ keyid: 'k', secret }),
    send: async (_, init) => {
      seen.push(init as RequestInit)
      return new Response(null, { status: 307, headers: { location: 'http://relay.example/v1/batch' } })
    },
    now: () => new Date('2026-11-22T03:00:00Z'),
  })
  const { error } = await relay.batch([])
  expect(error).toMatchObject({ code: 'bad-request', message: expect.stringContaining('RELAY_URL') })
  expect(seen.map((init) => init?.redirect)).toEqual(['manual'])
})

test('a service token of Cloudflare Access goes with each call', async () => {
  const seen: Headers[] = []
  const relay = createRelay({
    url: 'https://relay.example',
    access: { id: 'abc.access', secret: 's3cret' },
    sign: await createSign({ keyid: 'k', secret }),
    send: async (_, init) => {
      seen.push(new Headers(init?.headers))
      return new Response('<html>Forbidden</html>', { status: 403 })
    },
    now: () => new Date('2026-11-22T03:00:00Z'),
  })
  const { error } = await relay.batch([])
  expect(seen.map((headers) => headers.get('cf-access-client-id'))).toEqual(['abc.access'])
  expect(seen.map((headers) => headers.get('cf-access-client-secret'))).toEqual(['s3cret'])
  expect(error).toMatchObject({ code: 'not-allowed', message: expect.stringContaining('RELAY_ACCESS_ID') })
  expect(error?.message).not.toContain('s3cret')
})

test.for([
  [{}, null],
  [{ RELAY_ACCESS_ID: 'x', RELAY_ACCESS_SECRET: 'y' }, null],
  [{ RELAY_ACCESS_ID: 'x' }, 'RELAY_ACCESS_SECRET is missing'],
  [{ RELAY_ACCESS_SECRET: 'y' }, 'RELAY_ACCESS_ID is missing'],
] as const)('with %j of it: %s', ([env, said]) => {
  const problem = relayProblemOf({ RELAY_URL: 'https://relay.example', ...env } as Env)
  expect(problem).toEqual(said === null ? null : expect.stringContaining(said))
})
