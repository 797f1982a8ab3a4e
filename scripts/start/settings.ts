/** The Worker's port and token, and the document to apply. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { type DocumentFile, readDocument } from '../document.ts'
import { fileOf } from '../remote.ts'

export type Settings = {
  port: number
  token: string
  /** Whether the token was made for this run. */
  fresh: boolean
  document: DocumentFile
}

const DEFAULT_PORT = 8787
const HIGHEST_PORT = 65_535

/** `options`: with which it was started, as `--dry-run`. */
export async function openSettings(
  environment: NodeJS.ProcessEnv,
  options: readonly string[],
): Promise<Settings> {
  const document = readConfiguration()
  const port = await freePort(
    environment.PORT ?? '',
    ['npm start', ...(options.length === 0 ? [] : ['--', ...options])].join(' '),
  )
  const given = environment.STAPES_TOKEN ?? ''
  const token = given === '' ? randomBytes(24).toString('base64url') : given
  return { port, token, fresh: given === '', document }
}

function readConfiguration(): DocumentFile {
  const read = readDocument(fileOf(undefined), 'create it, or name another file in STAPES_FILE')
  if (!read.ok) throw new Error(read.error.join('\n'))
  return read.value
}

/** `command`: how to start it once more. */
async function freePort(text: string, command: string): Promise<number> {
  const port = text === '' ? DEFAULT_PORT : Number(text)
  if (!Number.isInteger(port) || port < 1 || port > HIGHEST_PORT)
    throw new Error(`PORT is "${text}": expected a number from 1 to ${HIGHEST_PORT}`)
  const reason = await whyTaken(port)
  if (reason === null) return port
  throw new Error(
    `127.0.0.1:${port} can't be listened on (${reason}): set PORT to a free port, as in PORT=${((port + 9) % HIGHEST_PORT) + 1} ${command}`,
  )
}

/** Null when nothing listens there. */
function whyTaken(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRINUSE' ? 'it is in use' : error.message),
    )
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(null)))
  })
}
