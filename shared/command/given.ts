/** What an import is given, as one writes it in a line: `limits.cpu=2 limits.memory=1GiB`, `eth0,type=nic,network=br1 eth1,type=none`. */
import { type CopyGiven, refuseGiven } from '../incus/given.ts'
import { err, ok, type Result } from '../result.ts'
import type { Parameter, Values } from './command.ts'

export const GIVEN: readonly Parameter[] = [
  flag('profiles', 'Its profiles instead of those that it had: "default web"'),
  flag('config', 'Config instead of what it had: "limits.cpu=2 limits.memory=1GiB"'),
  flag('devices', 'Cards instead of those that it had: "eth0,type=nic,network=br1 eth1,type=none"'),
]

function flag(name: string, description: string): Parameter {
  return { name, kind: 'text', description, required: false, flag: true }
}

const wordsIn = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '')

/** Undefined: nothing. */
export function parseGiven({ profiles, config, devices }: Values): Result<CopyGiven | undefined, string> {
  const keys = pairsOf(wordsIn(config ?? ''))
  if (keys === null)
    return err('config: expected keys with their values, such as "limits.cpu=2 limits.memory=1GiB"')
  const cards = wordsIn(devices ?? '').map((word): [string, Record<string, string> | null] => {
    const [name = '', ...parts] = word.split(',')
    return [name, name === '' || name.includes('=') || parts.length === 0 ? null : pairsOf(parts)]
  })
  if (cards.some(([, one]) => one === null))
    return err(
      'devices: expected names with what each is, such as "eth0,type=nic,network=br1 eth1,type=none"',
    )
  const given: CopyGiven = {
    ...(profiles === undefined ? {} : { profiles: wordsIn(profiles) }),
    ...(config === undefined ? {} : { config: keys }),
    ...(devices === undefined
      ? {}
      : { devices: Object.fromEntries(cards.map(([name, one]) => [name, one ?? {}])) }),
  }
  const why = refuseGiven(given)
  if (why !== null) return err(why)
  return ok(Object.keys(given).length === 0 ? undefined : given)
}

/** Null: one of them is none. */
function pairsOf(words: readonly string[]): Record<string, string> | null {
  const pairs = words.map((word): [string, string] => {
    const at = word.indexOf('=')
    return [word.slice(0, Math.max(0, at)), word.slice(at + 1)]
  })
  return pairs.some(([key]) => key === '') ? null : Object.fromEntries(pairs)
}

/** The same by names: a value may be a secret, and stands in no record. */
export const namesOfGiven = ({ profiles, config, devices }: CopyGiven): [string, readonly string[]][] => [
  ...(profiles === undefined ? [] : [['profiles', profiles] as [string, readonly string[]]]),
  ...(config === undefined ? [] : [['config', namesIn(config)] as [string, readonly string[]]]),
  ...(devices === undefined ? [] : [['devices', namesIn(devices)] as [string, readonly string[]]]),
]

const namesIn = (all: object): string[] => Object.keys(all).map((name) => `${name}=…`)
