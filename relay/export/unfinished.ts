/**
 * What is being written into stores just now, in a file, so that a relay that was killed meanwhile removes it at its next
 * start. It is written before anything is begun there.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/**
 * `token`: of the store, for what isn't a file yet; null: nothing was begun. `promised`: since then the manifest may arrive
 * there (milliseconds since the epoch), also after its sender was given no answer, or is gone. `removing`: it isn't written but
 * removed, since then.
 */
export type Unfinished = {
  store: string
  manifest: string
  file: string
  token: string | null
  promised?: number
  removing?: number
}

export type UnfinishedList = {
  /** Of this life and of those before. */
  all(): Unfinished[]
  put(one: Unfinished): void
  drop(one: Pick<Unfinished, 'store' | 'file'>): void
}

/** `path` null: nothing is remembered over a restart. */
export function openUnfinished(path: string | null, log: (line: string) => void): UnfinishedList {
  const known = new Map(readAll(path, log).map((one) => [keyOf(one), one]))
  const write = (): void => {
    if (path === null) return
    try {
      writeFileSync(`${path}.new`, JSON.stringify([...known.values()]), { mode: 0o600 })
      renameSync(`${path}.new`, path)
    } catch (error) {
      log(`the list of unfinished exports ${path} can't be written: ${String(error)}`)
    }
  }
  return {
    all: () => [...known.values()],
    put(one) {
      known.set(keyOf(one), one)
      write()
    },
    drop(one) {
      if (known.delete(keyOf(one))) write()
    },
  }
}

const keyOf = ({ store, file }: Pick<Unfinished, 'store' | 'file'>): string => `${store} ${file}`

function readAll(path: string | null, log: (line: string) => void): Unfinished[] {
  if (path === null || !existsSync(path)) return []
  try {
    const list: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return (Array.isArray(list) ? list : []).filter(
      (one): one is Unfinished =>
        [one?.store, one?.manifest, one?.file].every((part) => typeof part === 'string') &&
        (one.token === null || typeof one.token === 'string') &&
        [one.promised, one.removing].every((at) => at === undefined || typeof at === 'number'),
    )
  } catch (error) {
    log(`the list of unfinished exports ${path} can't be read, what they left stays: ${String(error)}`)
    return []
  }
}
