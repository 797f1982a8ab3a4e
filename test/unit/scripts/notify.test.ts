/** `npm run notify -- --test`, and what `npm start` hands its Worker for notifications. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { namedSecrets } from '../../../scripts/start/secrets.ts'
import { runScript } from './script.ts'

async function run(channels: object[], args: string[]) {
  const asked: string[] = []
  const server = createServer(({ method, url, headers }, response) => {
    asked.push(`${method} ${url} ${headers.authorization}`)
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ channels }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = String((server.address() as AddressInfo).port)
  const ended = await runScript('notify', { cwd: tmpdir(), args, env: { STAPES_TOKEN: 'abc', PORT: port } })
  await new Promise((resolve) => server.close(resolve))
  return { ...ended, asked }
}

describe('npm run notify', () => {
  test('shows what each channel made of its message, and fails if one did not take it', async () => {
    const ops = { name: 'ops', type: 'slack', ok: true }
    const phone = { name: 'phone', type: 'ntfy', ok: false, reason: '403: forbidden' }
    const both = await run([ops, phone], ['--test'])
    expect(both).toMatchObject({
      ...{ code: 1, asked: ['POST /api/notify/test Bearer abc'] },
      out: ['ops (slack): it took the message', 'phone (ntfy): failed: 403: forbidden'],
    })
    expect((await run([ops], ['--test'])).code).toBe(0)
  })

  test('sends nothing without being told to, and says where there is no channel', async () => {
    expect(await run([], [])).toMatchObject({ code: 2, asked: [] })
    expect((await run([], ['--test'])).errors.join()).toContain('has no channels')
  })
})

test('npm start hands on what notifications and pings take, and nothing else of the environment', () => {
  const given = { NOTIFY_SLACK: 'a', NOTIFY_: 'b', NOTIFY_empty: 'c', NOTIFY_EMPTY: '', PATH: '/bin' }
  expect(namedSecrets({ ...given, PING_ALL: 'd', PING: 'e' })).toEqual({ NOTIFY_SLACK: 'a', PING_ALL: 'd' })
})
