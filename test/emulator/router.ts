/** Finds the handler of a method and path: a tree of path segments, quick enough for a simulated year. */
import { Refusal } from './envelope.ts'

type Node<T> = {
  literal: Map<string, Node<T>>
  parameter: Node<T> | null
  name: string
  methods: Map<string, T>
}

const node = <T>(name = ''): Node<T> => ({ literal: new Map(), parameter: null, name, methods: new Map() })

type Found<T> = { value: T; parameters: Record<string, string> }

export class Router<T> {
  readonly #root = node<T>()

  add(method: string, path: string, value: T): void {
    let at = this.#root
    for (const segment of path.split('/').slice(1))
      at = segment.startsWith('{') ? parameter(at, segment) : literal(at, segment)
    if (at.methods.has(method)) throw new Error(`two handlers for ${method} ${path}`)
    at.methods.set(method, value)
  }

  /** A path that isn't there is 404, a method that isn't 501, as Incus has it. */
  find(method: string, path: string): Found<T> {
    const segments = path.split('/').slice(1)
    const ends = [...endsOf(this.#root, segments, 0)]
    if (ends.length === 0) throw new Refusal(404, 'not found')
    for (const { at, names } of ends) {
      const value = at.methods.get(method)
      if (value === undefined) continue
      const parameters = Object.fromEntries(names.map(([name, segment]) => [name, decode(segment)]))
      return { value, parameters }
    }
    throw new Refusal(501, 'not implemented')
  }
}

type End<T> = { at: Node<T>; names: (readonly [string, string])[] }

/** Where a path may end, a literal segment before a parameter in its place. */
function* endsOf<T>(at: Node<T>, segments: readonly string[], index: number): Generator<End<T>> {
  const segment = segments[index]
  if (segment === undefined) {
    if (at.methods.size > 0) yield { at, names: [] }
    return
  }
  const exact = at.literal.get(segment)
  if (exact !== undefined) yield* endsOf(exact, segments, index + 1)
  const { parameter: open } = at
  if (open === null || segment === '') return
  for (const end of endsOf(open, segments, index + 1))
    yield { at: end.at, names: [[open.name, segment], ...end.names] }
}

function literal<T>(at: Node<T>, segment: string): Node<T> {
  const next = at.literal.get(segment) ?? node<T>()
  at.literal.set(segment, next)
  return next
}

function parameter<T>(at: Node<T>, segment: string): Node<T> {
  const name = segment.slice(1, -1)
  at.parameter ??= node<T>(name)
  if (at.parameter.name !== name)
    throw new Error(`the parameters ${at.parameter.name} and ${name} stand in one place`)
  return at.parameter
}

function decode(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new Refusal(404, 'not found')
  }
}

/** The first value of each key, as Go's `FormValue` has it. */
export function parseQuery(search: string): Record<string, string> {
  return search === '' ? {} : Object.fromEntries([...new URLSearchParams(search)].reverse())
}
