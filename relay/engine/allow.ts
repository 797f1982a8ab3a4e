/**
 * Which requests may go to Incus: the calls of the routes table with the bodies that it accepts. Incus ignores
 * the case of the keys that it knows, so two of them that differ only in case are refused: the check would see
 * one and Incus the other. In the maps of a body such keys are two, as `environment.http_proxy` and
 * `environment.HTTP_PROXY` are.
 */
import { type Match, matchRoute, type Route, routes } from '../../shared/incus/routes.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'

const MAX_DEPTH = 32

/** Checks method and path, before the body is read. */
export function allowRoute(method: string, path: string): Result<Match, CallError> {
  const match = matchRoute(method, path)
  return match === null
    ? err(notAllowed(`${method} ${path} is not among the calls that stapes makes`))
    : ok(match)
}

/** `body` undefined: none. */
export function allowBody({ name }: Match, body: unknown): Result<null, CallError> {
  const { refuse, method, path }: Route = routes[name]
  const why = refuse === undefined ? unexpected(body) : (ambiguity(body, []) ?? refuse(body))
  return why === null ? ok(null) : err(notAllowed(`${method} ${path}: ${why}`))
}

const unexpected = (body: unknown): string | null => (body === undefined ? null : 'a body is not expected')

/** Where keys are people's own, in their case: Go reads these into maps. Each device is one, too. */
const MAPS: readonly string[] = ['config', 'devices', 'source.secrets', 'target.secrets']

function ambiguity(value: unknown, path: readonly string[]): string | null {
  if (typeof value !== 'object' || value === null) return null
  if (path.length > MAX_DEPTH) return `nested deeper than ${MAX_DEPTH} levels`
  const isExact = isMap(path)
  const seen = new Set<string>()
  for (const [key, inner] of Object.entries(value)) {
    // Upper case first, as Go folds: "ſ" is an s there and the Kelvin sign a k.
    const folded = isExact ? key : key.toUpperCase().toLowerCase()
    if (seen.has(folded)) return `key "${key}" is given twice, in different case`
    seen.add(folded)
    const wrong = ambiguity(inner, [...path, key])
    if (wrong !== null) return wrong
  }
  return null
}

const isMap = (path: readonly string[]): boolean =>
  MAPS.includes(path.join('.')) || (path.length === 2 && path[0] === 'devices')

const notAllowed = (message: string): CallError => ({ code: 'not-allowed', message })
