/** A tick reads each key of KV once, and then what it wrote there. */
import { expect, test } from 'vitest'
import { readingOnce } from '../../../functions/state/once.ts'

function stage(put: (key: string, value: string) => void = () => {}) {
  const values = new Map([['ledger', 'old']])
  const reads: string[] = []
  let broken = false
  const state = readingOnce({
    async get(key) {
      reads.push(key)
      if (broken) throw new Error('KV GET failed')
      return values.get(key) ?? null
    },
    async put(key: string, value) {
      put(key, String(value))
      values.set(key, String(value))
    },
  })
  return {
    state,
    reads,
    values,
    breakDown(is: boolean) {
      broken = is
    },
  }
}

test('what was read is not read again, also where there was nothing', async () => {
  const { state, reads, values } = stage()
  expect(await Promise.all([state.get('ledger'), state.get('ledger'), state.get('config')])).toEqual([
    'old',
    'old',
    null,
  ])
  values.set('config', 'of somebody else')
  expect(await state.get('config')).toBeNull()
  expect(reads).toEqual(['ledger', 'config'])
})

test('what it wrote is what it reads from then on', async () => {
  const { state, reads } = stage()
  await state.get('ledger')
  await state.put('ledger', 'new')
  expect(await state.get('ledger')).toBe('new')
  expect(reads).toEqual(['ledger'])
})

test('what could not be written is not believed to be there', async () => {
  const { state } = stage(() => {
    throw new Error('KV PUT failed: 429')
  })
  await expect(state.put('ledger', 'new')).rejects.toThrow('429')
  expect(await state.get('ledger')).toBe('old')
})

test('what could not be read is read again', async () => {
  const { state, breakDown } = stage()
  breakDown(true)
  await expect(state.get('ledger')).rejects.toThrow('KV GET failed')
  breakDown(false)
  expect(await state.get('ledger')).toBe('old')
})
