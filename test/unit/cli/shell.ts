/** A shell in which `stapes` is called, over a simulated world. */
import { callCommand } from '../../../scripts/cli/call.ts'
import type { Place } from '../../../scripts/cli/place.ts'
import { createSession, type Session } from '../../../scripts/session.ts'
import { ok, type Result } from '../../../shared/result.ts'
import { openScene, type PageScene } from '../../page/scene.ts'
import { ORIGIN, openStage, TOKEN } from '../../page/stage.ts'

export type Called = { code: number; out: string; errors: string }

type How = { isTTY?: boolean; env?: Record<string, string> }

export type Shell = {
  scene: PageScene
  session: Session
  /** `stapes` with these words. */
  call(words: readonly string[], how?: How): Promise<Called>
  /** Its answer with `--json`. */
  data(...words: string[]): Promise<{ code: number; data: Record<string, unknown> }>
}

export async function callWith(
  session: Session | Result<Session, string[]>,
  words: readonly string[],
  { isTTY = false, env = {} }: How = {},
) {
  const said = { out: '', errors: '' }
  const hear = (where: keyof typeof said) => (text: string) => {
    said[where] += text
  }
  const process: Place['process'] = {
    stdout: { isTTY, write: hear('out') },
    stderr: { isTTY, write: hear('errors') },
    env,
  }
  await callCommand({ version: '1.2.3' }, words, {
    process,
    session: () => ('ok' in session ? session : ok(session)),
  })
  return { code: Number(process.exitCode), ...said }
}

export async function openShell(document?: object): Promise<Shell> {
  const scene = await openScene(document)
  const stage = openStage(scene.world)
  const session = createSession(ORIGIN, TOKEN, (url, init) => stage.fetch(new Request(String(url), init)))
  return {
    scene,
    session,
    call: (words, how) => callWith(session, words, how),
    async data(...words) {
      const { code, out } = await callWith(session, [...words, '--json'])
      return { code, data: JSON.parse(out) as Record<string, unknown> }
    },
  }
}
