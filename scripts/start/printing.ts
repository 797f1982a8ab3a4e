/** What `npm start` shows first: where to look. */
import type { Applied } from '../session.ts'
import type { Chat } from './chat.ts'
import type { Link } from './link.ts'
import type { Settings } from './settings.ts'

type Header = {
  url: string
  settings: Settings
  link: Link
  chat: Chat
  applied: Applied
}

export function renderHeader({ url, settings, link, chat, applied }: Header): string {
  const { token, fresh, document } = settings
  const warnings = applied.warnings.map((warning) => `  warning   ${warning}`)
  return [
    '',
    `stapes runs on ${url}: open it in a browser, and sign in with the token`,
    '',
    `  token     ${fresh ? token : 'as in STAPES_TOKEN; for the calls below it has to be exported in the shell, too'}`,
    `  policies  ${applied.policies.join(', ')} (${document.file})`,
    ...link.remotes.map((remote, at) => `  ${at === 0 ? 'Incus' : '     '}     ${remote}`),
    ...(link.embedded ? ['            embedded: in memory, lost when this ends'] : []),
    ...chat.endpoints.map((endpoint, at) => `  ${at === 0 ? 'chat' : '    '}      ${endpointText(endpoint)}`),
    ...warnings,
    '',
    ...(fresh ? [`  export STAPES_TOKEN=${token}`] : []),
    `  ${call(`${url}/api/status`)}`,
    `  ${call(`${url}/api/instances`)}`,
    `  ${call(`-X POST ${url}/api/plan`)}`,
    '',
    'It ticks every minute; Ctrl-C stops everything.',
    ...(chat.endpoints.length === 0 ? ['Commands in Slack, Discord and Mattermost: see docs/chat.md.'] : []),
    '',
  ].join('\n')
}

/** The token goes by curl's input: other users of the machine can see its arguments. */
const call = (what: string): string =>
  `printf 'Authorization: Bearer %s' "$STAPES_TOKEN" | curl -H @- ${what}`

const endpointText = ({ platform, path, missing }: Chat['endpoints'][number]): string =>
  missing.length === 0 ? `${platform} on ${path}` : `${platform} is not set up: ${missing.join(', ')} missing`
