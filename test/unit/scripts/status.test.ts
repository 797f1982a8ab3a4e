/** `npm run status`: the verdict in words and as an exit code. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { openScene } from '../../page/scene.ts'
import { openStage, TOKEN } from '../../page/stage.ts'
import { runScript } from './script.ts'

/** What the script makes of such an answer. */
async function run(status: number, answer: string, type = 'application/json') {
  const server = createServer((_, response) =>
    response.writeHead(status, { 'content-type': type }).end(answer),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const PORT = String((server.address() as AddressInfo).port)
  const ended = await runScript('status', { cwd: tmpdir(), env: { STAPES_TOKEN: 'abc', PORT } })
  await new Promise((resolve) => server.close(resolve))
  return ended
}

test.each([
  ['good', 0],
  ['warning', 1],
  ['bad', 2],
])('where it is %s it ends with %i, and says what is wrong', async (health, code) => {
  const warnings = health === 'good' ? [] : ['main has given no answer', 'policy p is paused']
  const promises = [{ state: 'kept' }, { state: 'pending' }]
  const ended = await run(200, JSON.stringify({ health, warnings, promises }))
  expect(ended).toEqual({ code, out: [`${health}: 1 of 2 promises kept`, ...warnings], errors: [] })
})

test('where it can’t be told it ends with 3', async () => {
  expect((await run(503, '{"title":"Not set up","detail":"x"}', 'application/problem+json')).code).toBe(3)
  expect((await run(200, '<html>')).code).toBe(3)
  expect((await run(200, '{"health":"fine","warnings":[],"promises":[]}')).code).toBe(3)
  expect((await runScript('status', { cwd: tmpdir(), env: { STAPES_TOKEN: '' } })).code).toBe(3)
  expect((await runScript('status', { cwd: tmpdir(), env: { STAPES_TOKEN: 'abc', PORT: '9' } })).code).toBe(3)
})

test('it reads what the API really says', async () => {
  const scene = await openScene()
  await scene.pass(190)
  const answer = await openStage(scene.world).get('/api/status', { authorization: `Bearer ${TOKEN}` })
  const ended = await run(answer.status, await answer.text())
  expect(ended).toMatchObject({
    ...{ code: 2, errors: [] },
    out: [
      expect.stringMatching(/^bad: \d of \d promises kept$/),
      expect.stringMatching(/^under no policy, so not backed up, is on main\/default: lab\. /),
    ],
  })
})
