/**
 * The file of the relay's journal. It is written as a whole beside itself and renamed, so that it is never half
 * of it; a file that can't be read is kept aside, and the relay goes on with an empty one.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { JournalStore } from './engine/journal.ts'

type JournalFile = Required<JournalStore> & { close(): void }

/** Changes of so many milliseconds are written together; longer where the file is large. */
const DELAY = 1_000
const LARGE = 1_000_000

export function openJournal(path: string, log: (line: string) => void): JournalFile {
  let pending: (() => unknown) | null = null
  let timer: NodeJS.Timeout | null = null
  let delay = DELAY
  const write = (): boolean => {
    timer = null
    if (pending === null) return true
    const text = JSON.stringify(pending())
    delay = DELAY * Math.max(1, Math.ceil(text.length / LARGE))
    try {
      writeFileSync(`${path}.new`, text, { mode: 0o600 })
      renameSync(`${path}.new`, path)
      pending = null
      return true
    } catch (error) {
      // It is written with the next change.
      log(`the journal ${path} can't be written: ${String(error)}`)
      return false
    }
  }
  const flush = (): boolean => {
    if (timer !== null) clearTimeout(timer)
    return write()
  }
  return {
    read: () => readJournal(path, log),
    changed(state) {
      pending = state
      timer ??= setTimeout(write, delay).unref()
    },
    flush,
    close: flush,
  }
}

function readJournal(path: string, log: (line: string) => void): unknown {
  if (!existsSync(path)) return null
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const aside = `${path}.unreadable`
    log(`the journal ${path} can't be read and is kept as ${aside}: ${String(error)}`)
    renameSync(path, aside)
    return null
  }
}
