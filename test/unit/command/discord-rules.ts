/** What Discord demands of the commands that are registered; gives what is against it. */

type Node = {
  type?: unknown
  name?: unknown
  description?: unknown
  required?: unknown
  options?: unknown
}

const NAME = /^[-_a-z0-9]{1,32}$/
const MOST = 25
const TEXT = 8000

export function checkDiscordCommands(body: unknown): string[] {
  if (!Array.isArray(body)) return ['the body is no list']
  return body.flatMap((command: Node) => [
    ...checkNode(command, String(command.name)),
    ...(textOf(command) > TEXT ? [`${command.name}: more than ${TEXT} characters (${textOf(command)})`] : []),
  ])
}

function checkNode(node: Node, path: string): string[] {
  const { name, description } = node
  const options = optionsOf(node)
  const names = options.map((option) => option.name)
  return [
    ...(typeof name === 'string' && NAME.test(name) ? [] : [`${path}: not a name`]),
    ...(typeof description === 'string' && description.length >= 1 && description.length <= 100
      ? []
      : [`${path}: the description must have 1 to 100 characters`]),
    ...(options.length > MOST ? [`${path}: more than ${MOST} options`] : []),
    ...(new Set(names).size < names.length ? [`${path}: a name is used twice`] : []),
    ...options.flatMap((option, at) =>
      option.required === true && options[at - 1]?.required === false
        ? [`${path}: ${option.name} is required, and stands behind an optional one`]
        : [],
    ),
    ...options.flatMap((option) => checkNode(option, `${path} ${option.name}`)),
  ]
}

const optionsOf = ({ options }: Node): Node[] => (Array.isArray(options) ? options : [])

/** Of names and descriptions, all the way down. */
const textOf = (node: Node): number =>
  String(node.name).length +
  String(node.description).length +
  optionsOf(node).reduce((sum, option) => sum + textOf(option), 0)
