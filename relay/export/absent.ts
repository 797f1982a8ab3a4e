/** Errors of the file system, by their codes. */

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

export async function absent<T, Else>(work: Promise<T>, otherwise: Else): Promise<T | Else> {
  try {
    return await work
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return otherwise
    throw error
  }
}
