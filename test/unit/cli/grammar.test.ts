/** A command exists once: what chat understands, the shell understands, and means the same. */
import { describe, expect, test } from 'vitest'
import { completionScript } from '../../../scripts/cli/completion.ts'
import type { Session } from '../../../scripts/session.ts'
import { commands } from '../../../shared/command/commands.ts'
import { parseLine } from '../../../shared/command/parse.ts'
import { splitWords } from '../../../shared/command/words.ts'
import { ok } from '../../../shared/result.ts'
import { callWith } from './shell.ts'

/** Which lines were asked for. */
function listening(): { session: Session; lines: string[] } {
  const lines: string[] = []
  const hear = async (asked: unknown) => {
    lines.push(typeof asked === 'string' ? asked : (asked as { line: string }).line)
    return ok({
      line: '',
      tone: 'good',
      text: '',
      message: { headline: ['x'], details: [] },
      ...PLANNED,
      ...RAN,
    })
  }
  const doctor = async () => {
    await hear('doctor')
    return ok({ at: '', tone: 'good', findings: [], fine: [] })
  }
  const status = async () => ok({ health: 'good' })
  const session = { command: hear, planOf: hear, run: hear, status, doctor }
  return { session: session as unknown as Session, lines }
}

const PLANNED = { lines: [], warnings: [], digest: 'd', approval: 'self' }
const RAN = { results: [], problems: [], refusal: null, started: {} }

const EXAMPLES = commands.flatMap(({ examples }) => examples)

test.each(EXAMPLES)('%s', async (example) => {
  const words = splitWords(example)
  const meant = parseLine(example, commands)
  if (!words.ok || !meant.ok) throw new Error('the example is none')
  const { session, lines } = listening()
  const { errors } = await callWith(session, [...words.value.map(({ text }) => text), '--json'])
  expect(errors).toBe('')
  // A shell takes the quotes off.
  expect([...new Set(lines)]).toEqual([meant.value.line.replaceAll("'", '')])
})

describe('a command', () => {
  test.each(commands.map(({ name }) => name))('%s explains itself', async (name) => {
    const { session, lines } = listening()
    const { code, out } = await callWith(session, [name, '--help'])
    const { summary = '' } = commands.find((one) => one.name === name) ?? {}
    expect([code, lines]).toEqual([0, []])
    expect(out).toContain(summary)
    expect(out).toContain('--json')
    expect(out).not.toContain('/backup')
  })

  test('has no parameter that every command has', () => {
    const taken = ['json', 'dry-run', 'yes', 'digest', 'watch', 'no-watch', 'help']
    expect(
      commands.flatMap(({ parameters }) => parameters.filter(({ name }) => taken.includes(name))),
    ).toEqual([])
  })

  test('is not called as what a shell alone has', () => {
    const alone = ['get', 'completion', 'apply', 'simulate', 'trust', 'start', 'relay']
    expect(commands.filter(({ name }) => alone.includes(name))).toEqual([])
  })
})

test.each(['bash', 'zsh', 'fish'])('%s asks stapes what may come next', (shell) => {
  expect(completionScript(shell)).toContain('stapes --complete')
})
