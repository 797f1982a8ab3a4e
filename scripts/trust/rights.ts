/**
 * `--check`: what the relay's certificate may do on a server. Each question names an instance that doesn't exist,
 * or lacks what Incus needs to begin, so that nothing happens where it is allowed: Incus looks at rights first.
 */

import { randomBytes } from 'node:crypto'
import * as z from 'zod/mini'
import { FORBIDDEN as TRIALS } from '../../relay/engine/trials.ts'
import type { ClientCertificate } from '../../relay/pinning.ts'
import { own } from '../../shared/own.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import type { RelayFile } from './relay-file.ts'
import { type Ask, atRemote, type Server } from './remote.ts'

type Question = { right: string; ask: (name: string, ask: Ask, project: string) => ReturnType<Ask> }

/** What no scriptlet of stapes allows, as the relay itself tries it for the doctor. */
const FORBIDDEN: Question[] = (['files', 'console', 'profiles'] as const).map((right) => ({
  right,
  ask(name, ask, project) {
    const { method, path, body } = TRIALS[right](name, project)
    return ask(method, path, body)
  },
}))

const of = (project: string): string => `?project=${encodeURIComponent(project)}`

/** What one may allow and another not. */
const OPTIONAL: Question[] = [
  {
    right: 'snapshots',
    ask: (name, ask, project) => ask('POST', `/1.0/instances/${name}/snapshots${of(project)}`, {}),
  },
  { right: 'edit', ask: (name, ask, project) => ask('PATCH', `/1.0/instances/${name}${of(project)}`, {}) },
  {
    right: 'state',
    ask: (name, ask, project) => ask('PUT', `/1.0/instances/${name}/state${of(project)}`, {}),
  },
  {
    right: 'exports',
    ask: (name, ask, project) => ask('POST', `/1.0/instances/${name}/backups${of(project)}`, {}),
  },
  {
    right: 'exec',
    ask: (name, ask, project) => ask('POST', `/1.0/instances/${name}/exec${of(project)}`, {}),
  },
  { right: 'create', ask: (_, ask, project) => ask('POST', `/1.0/instances${of(project)}`, {}) },
  { right: 'sftp', ask: (name, ask, project) => ask('GET', `/1.0/instances/${name}/sftp${of(project)}`) },
]

/** By right: whether it is allowed. */
type Rights = Map<string, boolean>

type Checked = { url: string; projects: { name: string; lines: string[]; isInForce: boolean }[] }

export const checkRights = (
  file: RelayFile,
  client: ClientCertificate,
  remote: string,
): Promise<Result<Checked, string>> =>
  atRemote(file, remote, client, async (server) => {
    if (!server.isTrusted)
      return err(
        `${server.url} doesn't trust the relay's certificate, or its scriptlet refuses everything to it`,
      )
    const names = await projectsOf(server)
    if (names === null || names.length === 0)
      return err(`${server.url} shows no project to the relay's certificate`)
    const projects: Checked['projects'] = []
    for (const name of names) projects.push(render(name, await askAll(server.ask, name)))
    return ok({ url: server.url, projects })
  })

/** Whether a scriptlet limits this certificate; it counts as limited where it sees no project, so that it can't be told. */
export async function isLimited(server: Server): Promise<boolean> {
  const [project] = (await projectsOf(server)) ?? []
  if (project === undefined) return true
  const { status } = await server.ask(
    'POST',
    `/1.0/instances/${nobody()}/console?project=${encodeURIComponent(project)}`,
    {},
  )
  return status === 403
}

/** No instance has this name. */
const nobody = (): string => `stapes-check-${randomBytes(6).toString('hex')}`

const projectsSchema = z.array(z.object({ name: z.string() }))

async function projectsOf({ ask }: Server): Promise<string[] | null> {
  const { status, metadata } = await ask('GET', '/1.0/projects?recursion=1')
  const listed = projectsSchema.safeParse(metadata)
  return status === 200 && listed.success ? listed.data.map(({ name }) => name) : null
}

async function askAll(ask: Ask, project: string): Promise<Rights> {
  const name = nobody()
  const rights: Rights = new Map()
  for (const question of [...FORBIDDEN, ...OPTIONAL]) {
    const { status, error } = await question.ask(name, ask, project)
    // 404: there is no such instance. 400: something is missing in the body. Both come after the question of rights.
    if (status !== 403 && status !== 404 && status !== 400)
      throw new Error(`it answered ${status} (${error}) when it was asked for "${question.right}"`)
    rights.set(question.right, status !== 403)
  }
  return rights
}

/** Of which right what depends. */
const USES: Record<string, string> = {
  snapshots: 'to take, date and delete them',
  edit: 'copies from here, holds, restores, new instances',
  state: 'starting after a restore, thawing',
  exports: 'exports from here',
  exec: 'the commands of hooks',
  create: 'copies to here, new instances, exports from here, files of snapshots',
  sftp: 'files of snapshots, read and restored',
}

function render(name: string, rights: Rights): Checked['projects'][number] {
  const tooMuch = FORBIDDEN.map(({ right }) => right).filter((right) => rights.get(right) === true)
  const split = (isAllowed: boolean) =>
    OPTIONAL.map(({ right }) => right)
      .filter((right) => rights.get(right) === isAllowed)
      .map((right) => `${right} (${own(USES, right)})`)
  const [allowed, refused] = [split(true), split(false)]
  const isInForce = tooMuch.length === 0
  return {
    ...{ name, isInForce },
    lines: [
      isInForce
        ? 'a scriptlet is in force: files, console and profiles are refused'
        : `NO scriptlet is in force, or it allows too much: ${tooMuch.join(', ')}`,
      ...(allowed.length === 0 ? [] : [`  allowed: ${allowed.join('; ')}`]),
      ...(refused.length === 0 ? [] : [`  refused: ${refused.join('; ')}`]),
    ],
  }
}
