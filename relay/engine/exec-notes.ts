/** What the journal knows of the commands of hooks: which of them may still be running. */
import type { Execs } from './journal-state.ts'

export type ExecNotes = {
  /**
   * A command of a hook is begun there, in the pause that began then (milliseconds since the epoch). Written at once; false: it can't
   * be. Empty: its operation isn't known yet.
   */
  noteExec(subject: string, since: number, operation: string): boolean
  /** It has ended. */
  dropExec(subject: string, operation: string): void
  /** Those of that pause of which it isn't known that they have ended. */
  execs(subject: string, since: number): readonly string[]
}

/** `changed`: writes at once; false: it can't. */
export const execNotes = (known: Map<string, Execs>, changed: () => boolean): ExecNotes => ({
  noteExec(subject, since, operation) {
    const before = known.get(subject)
    const operations = before?.since === since ? before.operations : []
    const others = operation === '' ? operations : withoutOne(operations, '')
    known.set(subject, { since, operations: [...others, operation] })
    return changed()
  },
  dropExec(subject, operation) {
    const before = known.get(subject)
    if (before === undefined) return
    const operations = withoutOne(before.operations, operation)
    if (operations.length === before.operations.length) return
    if (operations.length === 0) known.delete(subject)
    else known.set(subject, { ...before, operations })
    changed()
  },
  execs(subject, since) {
    const noted = known.get(subject)
    return noted?.since === since ? noted.operations : []
  },
})

const withoutOne = (operations: readonly string[], gone: string): string[] => {
  const at = operations.indexOf(gone)
  return operations.filter((_, place) => place !== at)
}
