/** What people can type, and what must come of it: an answer in which it is only text. */
import type { Row } from './row.ts'
import { DAILY, PLATFORMS } from './world.ts'

const MARKUP = {
  'a mention of everybody, in Slack’s form': '<!channel>',
  'a mention of everybody, in Discord’s form': '@everyone',
  'a mention of everybody, in Mattermost’s form': '@all @channel @here',
  'a mention of a person, in Slack’s form': '<@U2CERLKJ1>',
  'a mention of a role, in Discord’s form': '<@&4400000000000000001>',
  'a group, in Slack’s form': '<!subteam^S012AB3CD>',
  'a link, in Slack’s form': '<https://evil.example|click>',
  'a link, in Markdown': '[click](https://evil.example)',
  'a bare link': 'https://evil.example/x',
  'a picture, in Markdown': '![x](https://evil.example/x.png)',
  'an end of code': '`@everyone`',
  'an end of a fence': '```@everyone```',
  'a date, in Slack’s form': '<!date^1^{date}^https://evil.example|x>',
  'a channel': '<#C8PSS9T3V> ~town-square',
  'a timestamp, in Discord’s form': '<t:1:R>',
  HTML: '<img/src=x/onerror=alert(1)>',
  'an entity': '&lt;!channel&gt;',
} as const

/** Quoted, so that it is one word wherever it stands. */
const quoted = (text: string): string => `'${text.replaceAll("'", '')}'`

const PLACES: [string, (text: string) => string][] = [
  ['as a command', quoted],
  ['as an instance', (text) => `hold ${quoted(text)} ${DAILY}`],
  ['as a snapshot', (text) => `restore web1 ${quoted(text)}`],
  ['as a note', (text) => `hold nosuch ${DAILY} ${text}`],
]

/** Two places on each. A refusal by the engine stands where all see it, as an honest result would. */
const markup: Row[] = Object.entries(MARKUP).flatMap(([name, text]) =>
  PLACES.map(
    ([where, lineOf], index): Row => ({
      name: `${name}, ${where}`,
      outcome: { says: /./, to: 'anybody' },
      request: (scene) => scene.command(index % 2 === 0 ? 'slack' : 'mattermost', lineOf(text), 'admin'),
    }),
  ),
)

const options: Row[] = Object.entries(MARKUP).map(([name, text]) => ({
  name: `${name}, as an option of Discord’s`,
  outcome: { says: /./, to: 'anybody' },
  request: (scene) =>
    scene.interact(
      scene.app.command(scene.person('admin'), 'hold', { instance: 'nosuch', snapshot: DAILY, note: text }),
    ),
}))

const names: Row[] = Object.entries(MARKUP).map(([name, text], index) => {
  const platform = PLATFORMS[index % 3] ?? 'slack'
  return {
    name: `${name}, as a person’s name, on ${platform}`,
    outcome: { says: /./ },
    request: (scene) => scene.command(platform, 'whoami', 'stranger', { name: text }),
  }
})

const LINES: Record<string, string> = {
  'a command of 2,001 characters': `now ${'w'.repeat(1997)}`,
  'a command of 4,000 characters': `now ${'web1 '.repeat(799)}`.slice(0, 4000),
  'a word of 301 characters': `now ${'w'.repeat(301)}`,
  'a hundred and one words': `now ${'web1 '.repeat(101)}`,
  'a null byte': 'now web1\0',
  'a null byte in the command': 'n\0ow web1',
  'a bell': 'now web1\x07',
  'an escape': 'now \x1b[31mweb1',
  'a backspace': 'now web2\bweb1',
  'a turn of the writing direction': 'now web1\u202e1bew',
  'an isolate of the writing direction': 'now \u2066web1\u2069',
  'an unclosed quote': "now 'web1",
  'an unclosed double quote': 'now "web1',
  'an unclosed quote in a flag': "expire web1 --snapshot='x",
  'a command that is nothing but quotes': "''",
  'a flag twice': 'now --policy=daily --policy=fenced',
  'a flag that there is not': 'now web1 --force',
  'a flag with an empty value': 'now --policy=',
  'a flag called __proto__': 'now web1 --__proto__=x',
  'a flag called constructor': 'now web1 --constructor=x',
  'a flag before the command': '--policy=daily now',
  'the command __proto__': '__proto__',
  'the command constructor': 'constructor web1',
  'the command toString': 'toString',
  'the command hasOwnProperty': 'hasOwnProperty x',
  'the policy __proto__': 'pause __proto__',
  'the policy constructor': 'now --policy=constructor',
  'the policy toString': 'now --policy=toString',
  'the instance __proto__': `hold __proto__ ${DAILY}`,
  'the instance constructor': `hold constructor ${DAILY}`,
  'a path that goes up, as an instance': 'now ../../x',
  'a path that goes up, within an instance': 'now web1/../web2',
  'a path that goes up, in percent codes': `hold %2e%2e ${DAILY}`,
  'a path with four parts': 'now main/default/web1/x',
  'an empty part of a path': `hold main//web1 ${DAILY}`,
  'a path of slashes': 'now ///',
  'an instance with a query': `hold web1?project=fenced ${DAILY}`,
  'an instance with a fragment': `hold web1#x ${DAILY}`,
  'an instance with an ampersand': `hold web1&project=fenced ${DAILY}`,
  'an instance with a backslash': `hold web1\\\\x ${DAILY}`,
  'an instance with a semicolon': `hold web1;reboot ${DAILY}`,
  'a project that goes up': `hold ../web1 ${DAILY}`,
  'a project in percent codes': `hold default%2fx/web1 ${DAILY}`,
  'a remote that goes up': `hold ../default/web1 ${DAILY}`,
  'a remote that is an address': `hold https://evil.example/web1 ${DAILY}`,
  'a remote with an at sign': `hold main@evil.example/default/web1 ${DAILY}`,
  'a snapshot that goes up': 'restore web1 ../../x',
  'a snapshot that goes up, in percent codes': 'restore web1 %2e%2e%2f%2e%2e%2fx',
  'a snapshot that is two dots': 'restore web1 ..',
  'a snapshot with a query': `restore web1 ${DAILY}?force=1`,
  'a snapshot of another instance': `restore web1 web2/${DAILY}`,
  'a snapshot with a null byte': `restore web1 ${DAILY}\0`,
  'a snapshot with a line break': `restore web1 '${DAILY}\n'`,
  'a snapshot in capitals': `restore web1 ${DAILY.toUpperCase()}`,
  'a shell’s substitution': 'now $(reboot)',
  'a shell’s pipe': 'now web9 | now web8',
  'two commands': 'help; now web1',
  'two commands on two lines': 'help\nnow web1',
  'a duration that is negative': 'pause daily -1h',
  'a duration without an end': 'pause daily 9999999999999999999d',
  'a count that is negative': 'history --count=-1',
  'a count with an exponent': 'history --count=1e9',
  'a glob of stars': `now ${'*'.repeat(200)}x`,
  'a glob that takes long to try': `now ${'*a'.repeat(140)}`,
  'an instance of letters that look alike': 'now wеb1',
  'an instance with a soft hyphen': 'now web\u00ad1',
  'an instance with a joiner': 'now web\u200b1',
  'half a character': 'now web1\ud800',
}

const lines: Row[] = Object.entries(LINES).map(([name, line], index) => ({
  name,
  outcome: { says: /./, to: 'anybody' },
  request: (scene) => scene.command(index % 2 === 0 ? 'slack' : 'mattermost', line, 'admin'),
}))

export const text: Row[] = [...markup, ...options, ...names, ...lines]
