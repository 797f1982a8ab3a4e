/** Files that only their owner may read, from before the first byte of a secret is in them. */
import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync, writeFileSync } from 'node:fs'

const OWNER_ONLY = 0o600
const OTHERS = 0o077

/** Returns whether others could read what was there before. */
export function writePrivate(path: string, text: string): boolean {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT, OWNER_ONLY)
  try {
    const wasWide = narrow(file)
    ftruncateSync(file)
    writeFileSync(file, text)
    return wasWide
  } finally {
    closeSync(file)
  }
}

/** As `writePrivate`, for a file that stays as it is. */
export function keepPrivate(path: string): boolean {
  const file = openSync(path, constants.O_RDONLY)
  try {
    return narrow(file)
  } finally {
    closeSync(file)
  }
}

function narrow(file: number): boolean {
  if ((fstatSync(file).mode & OTHERS) === 0) return false
  try {
    fchmodSync(file, OWNER_ONLY)
  } catch {
    // Only the owner may; what is returned is reported.
  }
  return true
}
