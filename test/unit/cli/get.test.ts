/** A file of a snapshot as a file here: whole, or not at all. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Session } from '../../../scripts/session.ts'
import { ok } from '../../../shared/result.ts'
import { callWith } from './shell.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stapes-get-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function get(breaksOff: boolean, meanwhile = () => {}) {
  let asked = 0
  const file = async () => {
    asked++
    let sent = 0
    return ok(
      new ReadableStream<Uint8Array>({
        pull(controller) {
          meanwhile()
          if (sent++ < 2) controller.enqueue(new TextEncoder().encode('half '))
          else if (breaksOff) controller.error(new Error('the connection closed'))
          else controller.close()
        },
      }),
    )
  }
  const words = ['get', 'web1', 'daily', '/etc/hosts', `--output=${join(folder, 'hosts')}`]
  const called = await callWith({ file } as unknown as Session, words)
  return { ...called, asked }
}

const there = () => readFileSync(join(folder, 'hosts'), 'utf8')

test('has its name once it is whole', async () => {
  const seen = new Set<string>()
  const { code } = await get(false, () => {
    for (const name of readdirSync(folder)) seen.add(name)
  })
  expect(code).toBe(0)
  expect([...seen].filter((name) => !name.endsWith('.part'))).toEqual([])
  expect([readdirSync(folder), there()]).toEqual([['hosts'], 'half half '])
})

test('that broke off leaves nothing', async () => {
  const { code, errors } = await get(true)
  expect([code, errors]).toEqual([1, expect.stringContaining('the connection closed')])
  expect(readdirSync(folder)).toEqual([])
})

test('never takes the place of one that is there, of which nothing is said that is not so', async () => {
  writeFileSync(join(folder, 'hosts'), 'mine')
  const { code, errors, asked } = await get(false)
  expect([code, asked, there()]).toEqual([1, 0, 'mine'])
  expect(errors).toContain('exists')
  expect(errors).not.toContain('not whole')
})

test('nor of one that came meanwhile', async () => {
  const { code } = await get(false, () => writeFileSync(join(folder, 'hosts'), 'mine'))
  expect([code, there(), readdirSync(folder)]).toEqual([1, 'mine', ['hosts']])
})
