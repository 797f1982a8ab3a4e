/** Ends the process; one line each, on stderr. */
export function fail(lines: readonly string[], code = 1): never {
  for (const line of lines) console.error(line)
  process.exit(code)
}
