/** How a command is typed, in a line: `restore <instance> <snapshot>`, `now [instances…] [--policy=<policy>]`. */
import type { Command, Parameter } from './command.ts'

export const usageOf = ({ name, parameters }: Pick<Command, 'name' | 'parameters'>): string =>
  [name, ...parameters.map(placeOf)].join(' ')

function placeOf({ name, kind, required, flag }: Parameter): string {
  const word = kind === 'instances' ? `${name}…` : name
  if (flag && kind === 'switch') return `[--${name}]`
  if (flag) return required ? `--${name}=<${word}>` : `[--${name}=<${word}>]`
  return required ? `<${word}>` : `[${word}]`
}
