/**
 * Globs over names: `*` is any run of characters, `?` is one, everything else is itself. Always the whole
 * name, case-sensitive. Matched in linear time and without a RegExp, since patterns and values are other
 * people's.
 */
type Glob = (name: string) => boolean

export const isLiteral = (pattern: string): boolean => !/[*?]/.test(pattern)

/** One matcher for several patterns: true when any of them matches. */
export function compileGlobs(patterns: readonly string[]): Glob {
  if (patterns.some((pattern) => /^\*+$/.test(pattern))) return () => true
  const literals = new Set(patterns.filter(isLiteral))
  const wild = patterns.filter((pattern) => !isLiteral(pattern))
  return (name) => literals.has(name) || wild.some((pattern) => matches(pattern, name))
}

/** Goes back to the last star only, which is enough: an earlier star has nothing to gain from more. */
function matches(pattern: string, name: string): boolean {
  let at = 0
  let star = -1
  let resume = 0
  let index = 0
  while (index < name.length) {
    if (pattern[at] === '*') {
      star = at++
      resume = index
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[index])) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++resume
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}

/**
 * Globs over paths of one to three segments: `instance`, `project/instance`, `remote/project/instance`.
 * A wildcard never crosses a slash.
 */
export function compilePaths(
  patterns: readonly string[],
): (path: readonly [string, string, string]) => boolean {
  const compiled = patterns.map((pattern) => pattern.split('/').map((segment) => compileGlobs([segment])))
  return (path) =>
    compiled.some((globs) => globs.every((glob, index) => glob(path[3 - globs.length + index] ?? '')))
}

/** Whether some name may match both; only says no when it is sure. */
export function mayOverlap(one: readonly string[], other: readonly string[]): boolean {
  return one.some((a) => other.some((b) => pairMayMeet(a, b)))
}

function pairMayMeet(one: string, other: string): boolean {
  if (isLiteral(one)) return compileGlobs([other])(one)
  if (isLiteral(other)) return compileGlobs([one])(other)
  const [a = '', b = ''] = [one, other].map((pattern) => pattern.split(/[*?]/, 1)[0])
  return a.startsWith(b) || b.startsWith(a)
}
