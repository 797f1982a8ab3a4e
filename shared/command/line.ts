/** Renders a command with its values as a line that parse.ts reads back as the same. */
import { own } from '../own.ts'
import type { Command, Parameter, Values } from './command.ts'
import { quoteWord } from './words.ts'

export function renderLine(
  { name, parameters }: Pick<Command, 'name' | 'parameters'>,
  values: Values,
): string {
  const places = parameters.filter(({ flag }) => !flag)
  const end = places.findIndex((place) => own(values, place.name) === undefined || place.kind === 'instances')
  // Behind a gap, or behind a list, the place of a word would say something else.
  const placed = end < 0 ? places : places.slice(0, end + 1)
  const named = parameters.filter((parameter) => !placed.includes(parameter))
  // Free words go to the end of the line.
  const words = placed.filter(({ kind }) => kind !== 'text')
  const texts = placed.filter(({ kind }) => kind === 'text')
  return [
    name,
    ...words.flatMap((parameter) => wordsOf(parameter, values)),
    ...named.flatMap((parameter) => wordsOf(parameter, values).map((word) => flagged(parameter, word))),
    ...texts.flatMap((parameter) => wordsOf(parameter, values)),
  ].join(' ')
}

const flagged = ({ name, kind }: Parameter, word: string): string =>
  kind === 'switch' && word === 'yes' ? `--${name}` : `--${name}=${word}`

function wordsOf({ name, kind }: Parameter, values: Values): string[] {
  const value = own(values, name)
  if (value === undefined) return []
  if (kind === 'line') return [value]
  return kind === 'instances' ? value.split(' ').map(quoteWord) : [quoteWord(value)]
}
