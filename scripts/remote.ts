/** The stapes and the document that the scripts use: from `.env` or the environment, as `npm start`. */
import { existsSync } from 'node:fs'
import { exposureOf } from '../relay/exposure.ts'
import { err, ok, type Result } from '../shared/result.ts'
import { type DocumentFile, readDocument } from './document.ts'
import { fail } from './fail.ts'
import { createSession, type Refusal, type Session } from './session.ts'

const PORT = '8787'
const FILE = 'stapes.jsonc'

export function loadEnvironment(): void {
  if (!existsSync('.env')) return
  const exposed = exposureOf('.env')
  if (exposed !== null) console.error(`warning: ${exposed}`)
  process.loadEnvFile('.env')
}

/** STAPES_URL, or what `npm start` runs here; an error when the token is missing. */
export function readSession(): Result<Session, Refusal> {
  const { STAPES_TOKEN: token = '' } = process.env
  return token !== ''
    ? ok(createSession(settingOf('STAPES_URL') ?? localUrl(), token))
    : err([
        'STAPES_TOKEN is not set: npm start prints the token it generated (export STAPES_TOKEN=…); for a deployed Worker, or for every start, put it into .env',
        'If stapes isn’t running, npm start -- --dry-run shows what it would do.',
      ])
}

/** Ends the process, with that code, when the token is missing. */
export function openSession(code = 2): Session {
  const session = readSession()
  return session.ok ? session.value : fail(session.error, code)
}

const localUrl = (): string => `http://127.0.0.1:${settingOf('PORT') ?? PORT}`

/** The one that is named, else STAPES_FILE. */
export const fileOf = (named: string | undefined): string => named ?? settingOf('STAPES_FILE') ?? FILE

/** Ends the process when it can't be read. */
export function openDocument(named: string | undefined): DocumentFile {
  const read = readDocument(
    fileOf(named),
    named === undefined
      ? 'create it, or name another file in STAPES_FILE'
      : 'create it, or name another file',
  )
  return read.ok ? read.value : fail(read.error, 2)
}

/** An empty variable counts as not set. */
const settingOf = (name: string): string | undefined => process.env[name] || undefined
