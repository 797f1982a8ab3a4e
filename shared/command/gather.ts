/** Assigns the words after a command's name to its parameters, by flag or by position. */
import { nearest } from '../policy/nearest.ts'
import { ok, type Result } from '../result.ts'
import type { Command, Parameter } from './command.ts'
import { type Flag, flagOf } from './flag.ts'
import { EXPECTED } from './kinds.ts'
import { type Mistake, mistake, show } from './mistake.ts'
import { usageOf } from './usage.ts'
import type { Word } from './words.ts'

/** By parameter name, not yet checked; several for a list. */
export type Given = Map<string, string[]>

type Form = Pick<Command, 'name' | 'parameters'>

/** `line` is what the words were cut from: some parameters take the rest of it as it is. */
export function gather(form: Form, words: readonly Word[], line: string): Result<Given, Mistake> {
  const given: Given = new Map()
  const rest = [...words]
  let flags = true
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const place = nextPlace(form, given)
    if (place?.kind === 'line') return ok(given.set(place.name, [line.slice(word.start).trim()]))
    const flag = flags ? flagOf(word) : null
    if (flag?.name === '') flags = false
    else if (flag !== null) {
      const wrong = takeFlag(form, flag, rest, given)
      if (wrong !== null) return wrong
    } else if (place === undefined)
      return mistake('extra', `${show(word.text)} is one argument too many. Usage: /backup ${usageOf(form)}`)
    else if (place.kind === 'text')
      return ok(
        given.set(
          place.name,
          [word, ...rest].map(({ text }) => text),
        ),
      )
    else give(place, word.text, given)
  }
  return ok(given)
}

const nextPlace = ({ parameters }: Form, given: Given): Parameter | undefined =>
  parameters.find(({ name, kind, flag }) => !flag && (kind === 'instances' || !given.has(name)))

/** Takes its value out of `rest`, where that is the next word. */
function takeFlag(form: Form, flag: Flag, rest: Word[], given: Given): ReturnType<typeof mistake> | null {
  const parameter = form.parameters.find(({ name }) => name === flag.name)
  if (parameter === undefined || flag.short)
    return mistake('unknown-flag', unknownFlag(form, `${flag.short ? '-' : '--'}${flag.name}`))
  if (given.has(flag.name) && parameter.kind !== 'instances')
    return mistake('twice', `${flag.name} is given twice. Usage: /backup ${usageOf(form)}`)
  if (parameter.kind === 'switch' && flag.value === null) {
    give(parameter, 'yes', given)
    return null
  }
  const follows = flag.value === null && rest[0] !== undefined && flagOf(rest[0]) === null
  const value = flag.value ?? (follows ? rest.shift()?.text : '') ?? ''
  if (value === '') return mistake('missing', `--${flag.name} needs a value: ${EXPECTED[parameter.kind]}.`)
  give(parameter, value, given)
  return null
}

function give({ name, kind }: Parameter, value: string, given: Given): void {
  const values = kind === 'instances' ? value.split(/\s+/) : [value]
  given.set(name, [...(given.get(name) ?? []), ...values])
}

export function unknownFlag(form: Form, given: string): string {
  const names = form.parameters.map(({ name }) => name)
  const near = nearest(given, names)
  const hint = near === null ? `Usage: /backup ${usageOf(form)}` : `Did you mean --${near}=…?`
  return `${form.name} has no ${show(given)}. ${hint}`
}
