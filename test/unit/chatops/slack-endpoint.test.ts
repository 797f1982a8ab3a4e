/** Slack's stand-in refuses what Slack would, so that a test that passes against it means something. */
import { beforeEach, expect, test } from 'vitest'
import { SlackEndpoint } from '../../chat/slack-endpoint.ts'

let now = new Date('2026-11-22T03:00:00Z')
let endpoint: SlackEndpoint
beforeEach(() => {
  now = new Date('2026-11-22T03:00:00Z')
  endpoint = new SlackEndpoint(() => now)
})

const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } })
const body = (text: string, more: object = {}) => ({ text, blocks: [section(text)], ...more })

const send = async (url: string, content: unknown, type = 'application/json'): Promise<number> =>
  (
    await endpoint.handle(
      new Request(url, { method: 'POST', headers: { 'content-type': type }, body: JSON.stringify(content) }),
    )
  ).status

test('a command’s URL places a message each time, for the caller or for all', async () => {
  const url = endpoint.openCommand()
  expect(await send(url, body('a'))).toBe(200)
  expect(await send(url, body('b', { response_type: 'in_channel' }))).toBe(200)
  expect(endpoint.messages.map(({ to, text }) => `${to}: ${text}`)).toEqual(['caller: a', 'channel: b'])
})

test('a button’s URL replaces the message that it stands in', async () => {
  endpoint.answer(200, body('plan', { response_type: 'in_channel' }))
  const [plan] = endpoint.messages
  const url = endpoint.openPress(plan ?? expect.fail('nothing was shown'))
  expect(await send(url, body('done', { replace_original: true }))).toBe(200)
  expect(await send(url, body('aside'))).toBe(200)
  expect(endpoint.shown()).toEqual(['done', 'aside'])
  expect(plan?.edits).toBe(1)
})

test('five times, and not a sixth', async () => {
  const url = endpoint.openCommand()
  const statuses: number[] = []
  for (let use = 0; use < 6; use++) statuses.push(await send(url, body('a')))
  expect(statuses).toEqual([200, 200, 200, 200, 200, 404])
  expect(endpoint.violations).toEqual(['used_url'])
})

test('not after half an hour', async () => {
  const url = endpoint.openCommand()
  now = new Date('2026-11-22T03:30:00Z')
  expect(await send(url, body('a'))).toBe(404)
  expect(endpoint.violations).toEqual(['expired_url'])
})

test.each<[string, unknown]>([
  ['an unknown field', body('a', { color: 'red' })],
  ['an unknown field in a block', { text: 'a', blocks: [{ ...section('a'), expand: true }] }],
  ['no text', { blocks: [section('a')] }],
  ['an empty section', { text: 'a', blocks: [section('')] }],
  ['a section of 3,001 characters', { text: 'a', blocks: [section('a'.repeat(3001))] }],
  ['51 blocks', { text: 'a', blocks: Array.from({ length: 51 }, () => section('a')) }],
  ['a mention', body('<@U1>')],
  ['a call to the channel', body('<!here>')],
  ['a link', body('<http://evil.example|x>')],
  ['a replacement of nothing', body('a', { replace_original: true })],
  ['something that is no JSON object', 'a'],
])('not %s', async (_, content) => {
  expect(await send(endpoint.openCommand(), content)).toBe(400)
  expect(endpoint.violations).toHaveLength(1)
  expect(endpoint.shown()).toEqual([])
})

test('no other type, and no unknown URL', async () => {
  expect(await send(endpoint.openCommand(), body('a'), 'text/plain')).toBe(400)
  expect(await send('https://hooks.slack.com/commands/T1/9/x', body('a'))).toBe(404)
  expect(await send(endpoint.webhook, body('a', { response_type: 'in_channel' }))).toBe(400)
  expect(await send(endpoint.webhook, body('a'))).toBe(200)
})

test('an answer that only shows the command shows nothing else', () => {
  endpoint.answer(200, { response_type: 'in_channel' })
  endpoint.answer(200, null)
  expect([endpoint.shown(), endpoint.violations]).toEqual([[], []])
  endpoint.answer(200, { ok: true })
  endpoint.answer(500, null)
  expect(endpoint.violations).toHaveLength(2)
})
