/** `npm run import`: what is sent, and that the key goes nowhere else. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runScript } from './script.ts'

const KEY = 'AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'
const FILE = `# created: 2026-11-22T03:00:00Z\n# public key: age1xyz\n${KEY}\n`

async function run(args: string[], { status = 200, key = FILE } = {}) {
  const cwd = mkdtempSync(join(tmpdir(), 'stapes-import-'))
  onTestFinished(() => rmSync(cwd, { recursive: true }))
  writeFileSync(join(cwd, 'key.txt'), key)
  const asked: [string, unknown][] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    asked.push([`${request.method} ${request.url}`, JSON.parse(Buffer.concat(chunks).toString())])
    const problem = { title: 'Refused', detail: 'there is no such export' }
    response.writeHead(status, {
      'content-type': status === 200 ? 'application/json' : 'application/problem+json',
    })
    const ran = { results: [{ state: 'started' }], lines: [] }
    const planned = { text: 'the plan\n', lines: [], applied: true, warnings: [] }
    const body = request.url === '/api/plan' ? planned : ran
    response.end(JSON.stringify(status === 200 ? body : problem))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = String((server.address() as AddressInfo).port)
  const ended = await runScript('import', { cwd, args, env: { STAPES_TOKEN: 'abc', PORT: port } })
  await new Promise((resolve) => server.close(resolve))
  return { ...ended, asked }
}

const WISH = ['main/default/web1', '--from=nas', '--as=web1-old']
const sent = { do: 'import', instance: 'main/default/web1', from: 'nas', as: 'web1-old' }

test('shows the plan, and then sends the same', async () => {
  const ended = await run([...WISH, '--start', '--yes'])
  expect(ended).toMatchObject({ code: 0, errors: [] })
  expect(ended.out[0]).toBe('the plan')
  expect(ended.asked).toEqual([
    ['POST /api/plan', { ...sent, start: true }],
    ['POST /api/run', { ...sent, start: true }],
  ])
})

test('sends the key that is in a file, and shows it nowhere', async () => {
  const ended = await run([...WISH, '--key=key.txt', '--yes'])
  expect(ended.asked.map(([, body]) => body)).toEqual([
    { ...sent, key: KEY },
    { ...sent, key: KEY },
  ])
  expect(JSON.stringify([ended.out, ended.errors])).not.toContain('SECRET')
})

test('begins nothing without a terminal to ask in, or where it is refused', async () => {
  const unasked = await run(WISH)
  expect(unasked).toMatchObject({ code: 2, asked: [['POST /api/plan', sent]] })
  expect(unasked.errors.join()).toContain('say --yes')
  const refused = await run([...WISH, '--yes'], { status: 422 })
  expect(refused).toMatchObject({ code: 1, errors: ['Refused: there is no such export'] })
  expect(refused.asked).toHaveLength(1)
})

test.each([
  ['no instance', ['--from=nas'], FILE],
  ['an option that there is not', [...WISH, '--force'], FILE],
  ['a key that is no file', [...WISH, '--key=none.txt'], FILE],
  ['a file without a key', [...WISH, '--key=key.txt'], '# nothing\n'],
  ['a file with two', [...WISH, '--key=key.txt'], `${KEY}\n${KEY}\n`],
])('%s is told, and nothing is asked for', async (_, args, key) => {
  const ended = await run(args, { key })
  expect(ended).toMatchObject({ code: 2, asked: [] })
  expect(ended.errors.join()).not.toContain('SECRET-KEY-1')
})
