/** Node as old as the other commands take runs neither the relay nor what calls Incus, and is told so. */
import { expect, test } from 'vitest'
import { againstNode } from '../../../scripts/cli/node-version.ts'

test.each(['22.19.0', '22.20.1', '23.0.0', '24.21.0'])('Node %s is new enough', (version) => {
  expect(againstNode('relay', version)).toBeNull()
})

test.each(['18.20.4', '20.20.2', '22.18.9'])('Node %s is not, and it is told what is', (version) => {
  expect(againstNode('trust', version)).toBe(
    `stapes trust needs Node 22.19 or later, and this is ${version}: npm install node@24 in the same folder, then npx stapes trust`,
  )
})
