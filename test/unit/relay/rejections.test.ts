import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { logRejections } from '../../../relay/rejections.ts'

test('a rejection that nobody waits for is logged with its trace, and the relay goes on', () => {
  const lines: string[] = []
  const emitter = new EventEmitter()
  logRejections(emitter, (line) => lines.push(line))
  emitter.emit('unhandledRejection', new Error('a bug'))
  emitter.emit('unhandledRejection', 'no error')
  expect(lines).toEqual([
    expect.stringMatching(/^error: .*Error: a bug\n +at /s),
    expect.stringContaining('no error'),
  ])
})
