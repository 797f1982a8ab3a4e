/** Completions for an option that somebody is typing. */

import { pathOf } from '../incus/subject.ts'
import { own } from '../own.ts'
import { compilePaths } from '../policy/glob.ts'
import type { Command, Parameter } from './command.ts'

export type Names = {
  /** Keys: `remote/project/instance`. */
  instances: readonly string[]
  /** By instance key, newest first. */
  snapshots: Readonly<Record<string, readonly string[]>>
  policies: readonly string[]
}

type Choice = { name: string; value: string }

/** What Discord allows. */
const MOST = 25
const LONGEST = 100

/** Snapshots of so many instances at most are offered, when the instances are given by globs. */
const INSTANCES = 50

/** At most 25, those that begin as `typed` does first. `options` are the other ones, as far as they are given. */
export function complete(
  command: string,
  option: string,
  typed: string,
  options: Readonly<Record<string, string>>,
  names: Names,
  commands: readonly Command[],
): Choice[] {
  const parameter = commands
    .find(({ name }) => name === command)
    ?.parameters.find(({ name }) => name === option)
  if (parameter === undefined) return []
  const { head, word } = parameter.kind === 'instances' ? lastWord(typed) : { head: '', word: typed.trim() }
  const taken = head.split(' ')
  return ranked(candidatesOf(parameter, options, names, commands), word.toLowerCase())
    .filter((value) => !taken.includes(value) && head.length + value.length <= LONGEST)
    .slice(0, MOST)
    .map((value) => ({ name: head + value, value: head + value }))
}

/** Completes the last word and keeps those before it; an open quote is dropped. */
function lastWord(typed: string): { head: string; word: string } {
  const start = typed.search(/\S*$/)
  return { head: typed.slice(0, start).trimStart(), word: typed.slice(start).replace(/^["“”„‘’']/, '') }
}

type Candidate = {
  value: string
  /** Further spellings that may be begun. */
  spellings: readonly string[]
}

function candidatesOf(
  { kind }: Parameter,
  options: Readonly<Record<string, string>>,
  { instances, snapshots, policies }: Names,
  commands: readonly Command[],
): Candidate[] {
  const plain = (values: readonly string[]) => values.map((value) => ({ value, spellings: [value] }))
  switch (kind) {
    case 'instance':
    case 'instances':
      return shortest(instances)
    case 'snapshot': {
      const keys = meant(options.instance ?? options.instances ?? '', instances)
      return plain([...new Set(keys.slice(0, INSTANCES).flatMap((key) => own(snapshots, key) ?? []))])
    }
    case 'policy':
      return plain(policies)
    case 'switch':
      return plain(['yes', 'no'])
    case 'command':
      return plain(commands.map(({ name }) => name))
    default:
      return []
  }
}

/** `instance`, `project/instance`, `remote/project/instance`. */
function pathsOf(key: string): string[] {
  const segments = key.split('/')
  return segments.map((_, index) => segments.slice(-1 - index).join('/'))
}

/** Each instance by the shortest of its paths that no other instance has. */
function shortest(keys: readonly string[]): Candidate[] {
  const owners = new Map<string, number>()
  for (const path of keys.flatMap(pathsOf)) owners.set(path, (owners.get(path) ?? 0) + 1)
  return keys.map((key) => {
    const spellings = pathsOf(key)
    return { value: spellings.find((path) => owners.get(path) === 1) ?? key, spellings }
  })
}

function meant(given: string, keys: readonly string[]): string[] {
  const globs = given.split(/\s+/).map((word) => word.replace(/^["“”„‘’']|["“”„‘’']$/g, ''))
  const matches = compilePaths(globs)
  return keys.filter((key) => matches(pathOf(key)))
}

/** Those that begin so before those that hold it; either in their own order. */
function ranked(candidates: readonly Candidate[], word: string): string[] {
  const begins: string[] = []
  const holds: string[] = []
  for (const { value, spellings } of candidates) {
    const folded = spellings.map((spelling) => spelling.toLowerCase())
    if (folded.some((spelling) => spelling.startsWith(word))) begins.push(value)
    else if (folded.some((spelling) => spelling.includes(word))) holds.push(value)
  }
  return [...begins, ...holds]
}
