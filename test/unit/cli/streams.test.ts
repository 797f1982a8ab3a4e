/** Closed pipes, and questions that nobody answers. */
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { agree } from '../../../scripts/agree.ts'
import { outlive } from '../../../scripts/cli/pipes.ts'

test('a reader that has gone ends nothing; another fault does', () => {
  const stream = new EventEmitter()
  outlive(stream)
  const emit = (code: string) => () => stream.emit('error', Object.assign(new Error(code), { code }))
  expect(emit('EPIPE')).not.toThrow()
  expect(emit('EIO')).toThrow('EIO')
})

test.each([
  ['y\n', true],
  ['n\n', false],
  ['\u0003', false],
  ['\u0004', false],
])('the answer %j', async (typed, agreed) => {
  const tty = () => Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} })
  const [input, output] = [tty(), tty()]
  const answer = agree('Do it?', { input, output })
  input.write(typed)
  expect(await answer).toBe(agreed)
})
