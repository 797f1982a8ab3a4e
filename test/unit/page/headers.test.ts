/** What a browser is told about each answer of the page. */
import { expect, test } from 'vitest'
import { openScene } from '../../page/scene.ts'
import { openStage } from '../../page/stage.ts'

const { world, pass } = await openScene()
await pass(3)
const stage = openStage(world)

const PAGES = ['/', '/?q=<script>&show=attention&page=7', '/subject/main/default/web', '/subject/a/b/c']

test.for([...PAGES, '/page.css', '/icon.svg'])('%s runs no script and stands in no frame', async (path) => {
  const { headers } = await stage.get(path, { cookie: await stage.signIn() })
  const policy = headers.get('content-security-policy') ?? ''
  expect(policy.split('; ')).toEqual(
    expect.arrayContaining([
      "default-src 'none'",
      "style-src 'self'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ]),
  )
  expect(policy).not.toMatch(/unsafe|script-src|\*/)
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('referrer-policy')).toBe('same-origin')
})

test.for([...PAGES, '/sign-in'])(
  'no copy of %s is kept, nor of the form that a stranger sees',
  async (path) => {
    for (const cookie of [await stage.signIn(), ''])
      expect((await stage.get(path, { cookie })).headers.get('cache-control')).toBe('no-store')
  },
)

test.for(PAGES)('%s has neither scripts nor styles of its own, as the policy wants it', async (path) => {
  const text = await stage.read(path)
  expect(text).toMatch(/^<!doctype html><html lang="en">/)
  expect(text).not.toMatch(/<script|<style|\sstyle=|\son[a-z]+=|javascript:/)
})
