/** Mattermost's stand-in refuses what Mattermost would, and what would notify anybody. */
import { beforeEach, expect, test } from 'vitest'
import { MattermostEndpoint } from '../../chat/mattermost-endpoint.ts'

let now = new Date('2026-11-22T03:00:00Z')
let endpoint: MattermostEndpoint
beforeEach(() => {
  now = new Date('2026-11-22T03:00:00Z')
  endpoint = new MattermostEndpoint(() => now)
})

const body = (text: string, more: object = {}) => ({ response_type: 'ephemeral', text, ...more })
const button = {
  id: 'a',
  type: 'button',
  name: 'A',
  style: 'default',
  integration: { url: 'https://stapes.example/chat/mattermost/press', context: {} },
}
const buttons = (...actions: object[]) => ({ attachments: [{ fallback: 'a', text: '', actions }] })

const send = async (url: string, content: unknown, type = 'application/json'): Promise<number> =>
  (
    await endpoint.handle(
      new Request(url, { method: 'POST', headers: { 'content-type': type }, body: JSON.stringify(content) }),
    )
  ).status

test('five messages, and not a sixth', async () => {
  const url = endpoint.openCommand()
  const statuses: number[] = []
  for (let use = 0; use < 6; use++) statuses.push(await send(url, body(`${use}`)))
  expect(statuses).toEqual([200, 200, 200, 200, 200, 400])
  expect(endpoint.shown()).toEqual(['0', '1', '2', '3', '4'])
  expect(endpoint.violations).toEqual(['used up'])
})

test('not after half an hour', async () => {
  const url = endpoint.openCommand()
  now = new Date('2026-11-22T03:30:00Z')
  expect(await send(url, body('a'))).toBe(400)
  expect(endpoint.violations).toEqual(['expired'])
})

test.each<[string, unknown]>([
  ['an unknown field', body('a', { blocks: [] })],
  ['no type', { text: 'a' }],
  ['an empty text', body('')],
  ['a text of 16,384 characters', body('a'.repeat(16_384))],
  ['an action id with a sign', body('a', buttons({ ...button, id: 'a-b' }))],
  ['an action id twice', body('a', buttons(button, button))],
  [
    'a button to elsewhere',
    body('a', buttons({ ...button, integration: { url: 'https://evil.example/', context: {} } })),
  ],
  ['a mention', body('hi @all')],
  ['a mention in an attachment', body('a', { attachments: [{ fallback: 'a', text: '@here' }] })],
  ['a channel', body('~town-square')],
  ['a link', body('[x](y)')],
  ['an address', body('http://evil.example')],
])('not %s', async (_, content) => {
  expect(await send(endpoint.openCommand(), content)).toBe(400)
  expect(endpoint.violations).toHaveLength(1)
  expect(endpoint.shown()).toEqual([])
})

test('in code, anything may stand', async () => {
  expect(await send(endpoint.openCommand(), body('`@all [x](http://a)`\n```\n~town\n```'))).toBe(200)
})

test('no other type, and no unknown URL', async () => {
  expect(await send(endpoint.openCommand(), body('a'), 'text/plain')).toBe(400)
  expect(await send(`${endpoint.origin}/hooks/commands/x`, body('a'))).toBe(404)
  expect(await send(endpoint.webhook, body('a'))).toBe(400)
  expect(await send(endpoint.webhook, { text: 'a' })).toBe(200)
})

test('a press updates a message of the channel, and takes its buttons away', async () => {
  endpoint.answer(200, body('plan', { response_type: 'in_channel', ...buttons(button) }))
  const message = endpoint.messages[0] ?? expect.fail('nothing was shown')
  expect(message.buttons).toMatchObject([{ label: 'A' }])
  endpoint.answerPress(message, 200, {
    update: { message: 'done', props: { attachments: [] } },
    ephemeral_text: 'aside',
  })
  expect(message).toEqual({ to: 'channel', text: 'done', buttons: [], edits: 1 })
  expect([endpoint.shown(), endpoint.violations]).toEqual([['done', 'aside'], []])
})

test('a press updates no message that only its reader sees, and none without saying what becomes of the buttons', () => {
  endpoint.answer(200, body('plan'))
  const message = endpoint.messages[0] ?? expect.fail('nothing was shown')
  endpoint.answerPress(message, 200, { update: { message: 'done', props: { attachments: [] } } })
  endpoint.answerPress(message, 200, { update: { message: 'done' } })
  endpoint.answerPress(message, 400, {})
  expect(endpoint.violations).toHaveLength(3)
  expect(endpoint.shown()).toEqual(['plan'])
})
