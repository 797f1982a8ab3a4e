import { createHmac, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { confirmationsOf, createConfirmations } from '../../../functions/chatops/confirmations.ts'
import { messageOf, parseToken } from '../../../shared/access/token.ts'

const SECRET = Buffer.alloc(32, 7).toString('base64')
const PLACE = 'slack:T024BE7LD/C0G9QF9GZ'
const UNTIL = new Date('2026-11-23T10:05:00Z')
const BEFORE = new Date('2026-11-23T10:00:00Z')
const wish = {
  verb: 'confirm' as const,
  id: 'q7asrz4dftb',
  until: UNTIL,
  digest: 'AbCdEf12_-0',
  place: PLACE,
}

const ours = await createConfirmations(SECRET)
const token = await ours.issue(wish)

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.'

const errorOf = async (text: string, place = PLACE, now = BEFORE): Promise<string> => {
  const checked = await ours.check(text, place, now)
  return checked.ok ? 'taken' : checked.error
}

describe('a token', () => {
  test.each(['confirm', 'cancel'] as const)('says what it was issued for: %s', async (verb) => {
    const issued = await ours.issue({ ...wish, verb })
    expect(await ours.check(issued, PLACE, BEFORE)).toEqual({
      ok: true,
      value: { verb, id: wish.id, digest: wish.digest },
    })
  })

  test('is made with half an HMAC, of a key that HKDF derives', () => {
    const key = hkdfSync('sha256', Buffer.alloc(32, 7), '', 'stapes confirmations', 32)
    const signed = 'c.q7asrz4dftb.toy9cc.AbCdEf12_-0'
    const hmac = createHmac('sha256', Buffer.from(key))
    const mac = hmac.update(`stapes confirmation v1\n${PLACE}\n${signed}`).digest().subarray(0, 16)
    expect(token).toBe(`${signed}.${mac.toString('base64url')}`)
  })

  test('fits into a button of every platform, however long its id', async () => {
    const longest = await ours.issue({ ...wish, id: 'z'.repeat(40), until: new Date('9999-12-31') })
    expect(longest).toMatch(/^[A-Za-z0-9._-]{1,90}$/)
    expect(await errorOf(longest)).toBe('taken')
  })

  test.each([
    ['an id with a dot', { id: 'a.b' }],
    ['an empty id', { id: '' }],
    ['an id that is too long', { id: 'z'.repeat(41) }],
    ['a digest of another length', { digest: 'AbC' }],
    ['no moment', { until: new Date(Number.NaN) }],
    ['a moment before all', { until: new Date(-1000) }],
  ])('is not issued for %s', async (_, part) => {
    await expect(ours.issue({ ...wish, ...part })).rejects.toThrow('no token can be made of')
  })
})

describe('refused is', () => {
  test('every token with one character changed, added or taken away', async () => {
    for (let at = 0; at <= token.length; at++) {
      const [before, after] = [token.slice(0, at), token.slice(at + 1)]
      const changed = [...ALPHABET].flatMap((one) => [before + one + after, before + one + token.slice(at)])
      for (const text of [...changed, before + after]) {
        if (text !== token) expect([text, await errorOf(text)]).not.toEqual([text, 'taken'])
      }
    }
  })

  test('a code that spells the same bytes in another way', async () => {
    const last = token.at(-1) ?? ''
    const next = ALPHABET[ALPHABET.indexOf(last) + 1] ?? ''
    expect(Buffer.from(token.slice(-22), 'base64url')).toEqual(
      Buffer.from(token.slice(-22, -1) + next, 'base64url'),
    )
    expect(await errorOf(token.slice(0, -1) + next)).toBe('malformed')
  })

  test.each([
    ['another channel', 'slack:T024BE7LD/C0G9QF9GA'],
    ['a channel of the same id elsewhere', 'mattermost:T024BE7LD/C0G9QF9GZ'],
    ['nowhere', ''],
    ['a place that continues', `${PLACE}\n`],
  ])('a token in %s', async (_, place) => {
    expect(await errorOf(token, place)).toBe('forged')
  })

  test('a cancellation passed off as a confirmation', async () => {
    const cancel = await ours.issue({ ...wish, verb: 'cancel' })
    expect(await errorOf(cancel.replace('x.', 'c.'))).toBe('forged')
  })

  test('a token with the code of another', async () => {
    const other = await ours.issue({ ...wish, id: 'other' })
    expect(await errorOf(token.slice(0, -22) + other.slice(-22))).toBe('forged')
  })

  test('one that another secret has made', async () => {
    const theirs = await createConfirmations(Buffer.alloc(32, 8).toString('base64'))
    expect(await errorOf(await theirs.issue(wish))).toBe('forged')
  })

  test('one whose code was made with the secret itself, not with the key derived from it', async () => {
    const key = await crypto.subtle.importKey(
      'raw',
      Buffer.alloc(32, 7),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign'],
    )
    const signed = token.slice(0, -23)
    const mac = await crypto.subtle.sign('HMAC', key, Buffer.from(messageOf(signed, PLACE)))
    const text = `${signed}.${Buffer.from(mac).subarray(0, 16).toString('base64url')}`
    expect(parseToken(text)).not.toBeNull()
    expect(await errorOf(text)).toBe('forged')
  })

  test.each([
    ['a second before it ends', -1000, 'taken'],
    ['a moment before it ends', -1, 'taken'],
    ['when it ends', 0, 'expired'],
    ['long after', 86_400_000, 'expired'],
  ])('what is out of date: %s (%d ms)', async (_, later, expected) => {
    expect(await errorOf(token, PLACE, new Date(UNTIL.getTime() + later))).toBe(expected)
  })

  test('what is out of date and not ours, as not ours', async () => {
    expect(await errorOf(token, 'slack:T1/C1', new Date(UNTIL.getTime() + 1))).toBe('forged')
  })

  test('any text and any place, without an exception', async () => {
    const part = fc.constantFrom(...token.split('.'), 'c', 'x', '', '.', '\u0000', 'é', '\ud800')
    const near = fc.array(part, { maxLength: 7 }).map((parts) => parts.join('.'))
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), near)
    await fc.assert(
      fc.asyncProperty(text, fc.string({ unit: 'binary' }), async (given, place) => {
        expect(await errorOf(given, place)).toMatch(/^(malformed|forged)$/)
      }),
      { numRuns: 1000 },
    )
  })
})

test('whatever is issued is taken in its place and time, and nowhere else', async () => {
  const word = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/)
  const digest = fc.stringMatching(/^[A-Za-z0-9_-]{11}$/)
  const verb = fc.constantFrom('confirm' as const, 'cancel' as const)
  const until = fc.date({ min: BEFORE, max: new Date('2100-01-01'), noInvalidDate: true })
  const place = fc.string({ maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(word, digest, verb, until, place, place, async (id, sum, does, end, here, there) => {
      fc.pre(here !== there && end.getTime() >= BEFORE.getTime() + 1000)
      const issued = await ours.issue({ verb: does, id, digest: sum, until: end, place: here })
      expect(await ours.check(issued, here, BEFORE)).toEqual({
        ok: true,
        value: { verb: does, id, digest: sum },
      })
      expect(await errorOf(issued, there)).toBe('forged')
      expect(await errorOf(issued, here, end)).toBe('expired')
    }),
    { numRuns: 300 },
  )
})

test('another secret means other confirmations, the same one the same', async () => {
  const [one, same] = [confirmationsOf(SECRET), confirmationsOf(SECRET)]
  expect(same).toBe(one)
  const other = await confirmationsOf(Buffer.alloc(32, 8).toString('base64'))
  expect(await other.check(token, PLACE, BEFORE)).toEqual({ ok: false, error: 'forged' })
  expect((await (await one).check(token, PLACE, BEFORE)).ok).toBe(true)
})

test.each([
  ['no base64', 'not a key!'],
  ['too short', Buffer.alloc(16).toString('base64')],
  ['missing', ''],
])('a secret that is %s is told with what to do', async (_, secret) => {
  await expect(createConfirmations(secret)).rejects.toThrow('openssl rand -base64 32')
})
