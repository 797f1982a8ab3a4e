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
    const parameters: Record<string, string> = {}
    let at: Node<T> | null = this.#root
    for (const segment of path.split('/').slice(1)) {
      const exact: Node<T> | undefined = at.literal.get(segment)
      if (exact === undefined && at.parameter !== null && segment !== '')
        parameters[at.parameter.name] = decode(segment)
      at = exact ?? (segment === '' ? null : at.parameter)
      if (at === null) throw new Refusal(404, 'not found')
    }
    if (at.methods.size === 0) throw new Refusal(404, 'not found')
    const value = at.methods.get(method)
    if (value === undefined) throw new Refusal(501, 'not implemented')
    return { value, parameters }
  }
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
