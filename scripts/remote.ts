/** Which stapes the scripts talk to: STAPES_URL and STAPES_TOKEN, from `.env` or the environment. */
import { existsSync } from 'node:fs'
import { createSession, type Session } from './session.ts'

const LOCAL = 'http://127.0.0.1:8787'

/** Ends the process when the token is missing. */
export function openSession(): Session {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const { STAPES_URL: url = LOCAL, STAPES_TOKEN: token = '' } = process.env
  if (token !== '') return createSession(url, token)
  return fail(['STAPES_TOKEN is not set: put the bearer token of the Worker there, or into .env'], 2)
}

/** One line each, on stderr. */
export function fail(lines: readonly string[], code = 1): never {
  for (const line of lines) console.error(line)
  process.exit(code)
}
