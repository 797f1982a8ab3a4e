import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BadFrame, createFrames } from '../../../../relay/bridge/frames.ts'
import { BINARY, CLOSE, type Frame, PING, readFrames, serverFrame, TEXT } from './client-frames.ts'

const LENGTHS = [0, 1, 2, 3, 4, 5, 125, 126, 127, 32_768, 65_535, 65_536, 70_001]
/** The end of a stream, and parts of a message, too. */
const KINDS = [BINARY, TEXT, 0x02, 0x00, 0x80, CLOSE, PING, 0x8a]

const aFrame = fc.record({ first: fc.constantFrom(...KINDS), length: fc.constantFrom(...LENGTHS) })
const someFrames = fc.array(aFrame, { minLength: 1, maxLength: 5 })

function passed(sent: readonly Frame[], cuts: readonly number[]) {
  const frames = createFrames()
  const all = Buffer.concat(sent.map(serverFrame))
  const out: Buffer[] = []
  let at = 0
  for (const cut of [...cuts, all.length]) {
    out.push(...frames.masked(Buffer.from(all.subarray(at, at + cut))))
    at += Math.min(cut, all.length - at)
  }
  return { ...readFrames(Buffer.concat(out)), bytes: frames.bytes() }
}

test('whatever is sent arrives frame by frame as it was, however it is cut on its way', () => {
  fc.assert(
    fc.property(
      someFrames,
      fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 20 }),
      (wanted, cuts) => {
        const sent = wanted.map(({ first, length }) => ({ first, payload: randomBytes(length) }))
        const { frames, rest, bytes } = passed(sent, cuts)
        expect(rest).toBe(0)
        expect(frames.map(({ first, payload }) => [first, payload.toString('hex')])).toEqual(
          sent.map(({ first, payload }) => [first, payload.toString('hex')]),
        )
        const data = sent.filter(({ first }) => (first & 0xf) < 8)
        expect(bytes).toBe(data.reduce((sum, { payload }) => sum + payload.length, 0))
      },
    ),
    { numRuns: 60 },
  )
})

test('even byte by byte', () => {
  const sent = [126, 3, 65_536].map((length) => ({ first: BINARY, payload: randomBytes(length) }))
  const each = Array.from(Buffer.concat(sent.map(serverFrame)), () => 1)
  const hexOf = (frames: readonly Frame[]) => frames.map(({ payload }) => payload.toString('hex'))
  expect(hexOf(passed(sent, each).frames)).toEqual(hexOf(sent))
})

test('each frame has a mask of its own', () => {
  const { masks } = passed(
    Array.from({ length: 3000 }, () => ({ first: BINARY, payload: Buffer.alloc(1) })),
    [],
  )
  expect(new Set(masks).size).toBeGreaterThan(2990)
})

test.each([
  ['with a mask', Buffer.from([BINARY, 0x81, 1, 2, 3, 4, 5])],
  ['with an extension', Buffer.from([0xc2, 0x01, 5])],
  ['of impossible length', Buffer.from([BINARY, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
])('a frame %s is refused', (_, bytes) => {
  expect(() => createFrames().masked(bytes)).toThrow(BadFrame)
})
