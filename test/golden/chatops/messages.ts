/** Telling messages, which each platform's encoder is held to; their expected JSON stands beside, by platform. */
import type { Message } from '../../../shared/chat/message.ts'

/** What people, or somebody else's server, may have written where stapes shows it. */
export const INJECTED =
  '<!here> @all @everyone [x](http://evil.example) <http://evil.example|safe> *b* _i_ ~x~ ~town-square `c` <@U1> &amp; #tag \u202egpj.exe\u2066\n# heading'

const line = (number: number): string => `  + auto-${number}  slot ${number} is due & <kept> for *ever*`

export const messages = {
  read: {
    to: 'caller',
    tone: 'good',
    headline: [
      'All 3 instances are covered, the last run was ',
      { at: '2026-11-22T03:00:00Z', style: 'ago' },
    ],
    details: [
      {
        kind: 'lines',
        lines: [
          [{ strong: 'main:default/web_1' }, ' newest ', { code: 'auto-20261122T0300Z' }],
          ['• daily 7, weekly 4'],
        ],
      },
    ],
    buttons: [],
  },
  injected: {
    to: 'caller',
    tone: 'warning',
    headline: ['There is no instance ', { code: INJECTED }, `: ${INJECTED}`],
    details: [
      { kind: 'lines', lines: [[INJECTED], [{ strong: INJECTED }], [{ user: INJECTED }], [{ code: '`' }]] },
      { kind: 'code', text: `\`\`\`\n${INJECTED}\n\`\`\`` },
    ],
    buttons: [],
  },
  plan: {
    to: 'caller',
    tone: 'info',
    headline: [{ code: '/backup plan web1' }, ' would take 1 snapshot and remove 1'],
    details: [
      {
        kind: 'code',
        text: 'main:default/web1\n  + auto-20261122T0300Z  slot 03:00 is due\n  - auto-20261119T0300Z  no rule keeps it\n',
      },
    ],
    buttons: [],
  },
  confirmation: {
    to: 'channel',
    tone: 'warning',
    headline: [
      { code: 'restore web1 auto-20261121T0300Z' },
      ' will replace 1 instance. ',
      { user: 'U2CERLKJA' },
      ', who requested it, has to confirm it, until ',
      { at: '2026-11-22T03:05:00Z', style: 'full' },
      '.',
    ],
    details: [{ kind: 'code', text: 'main:default/web1\n  < auto-20261121T0300Z  requested by anna' }],
    buttons: [
      { label: 'Confirm', token: 'AbC-1_2.confirm', style: 'danger' },
      { label: 'Cancel', token: 'AbC-1_2.cancel', style: 'plain' },
    ],
  },
  progress: {
    to: 'channel',
    tone: 'info',
    headline: ['Copying ', { code: 'web1' }, ' to ', { strong: 'vault' }, ': 42 %, 1.2 GB'],
    details: [],
    buttons: [],
  },
  ended: {
    to: 'channel',
    tone: 'bad',
    headline: ['The restore of ', { code: 'web1' }, ' failed'],
    details: [
      {
        kind: 'lines',
        lines: [['No space left on device'], ['The snapshot ', { code: 'before' }, ' is kept.']],
      },
    ],
    buttons: [],
  },
  long: {
    to: 'channel',
    tone: 'warning',
    headline: [{ strong: 'a'.repeat(5000) }, ' has much to tell'],
    details: [
      {
        kind: 'lines',
        lines: Array.from({ length: 300 }, (_, number) => [`${number}: `, { code: `web${number}` }]),
      },
      { kind: 'code', text: Array.from({ length: 2000 }, (_, number) => line(number)).join('\n') },
      { kind: 'lines', lines: [['&'.repeat(9000)]] },
    ],
    buttons: [{ label: 'C'.repeat(200), token: 'AbC-1_2.confirm', style: 'danger' }],
  },
  moments: {
    to: 'caller',
    tone: 'info',
    headline: ['Taken ', { at: '2026-11-22T03:00:00.000Z', style: 'ago' }],
    details: [
      {
        kind: 'lines',
        lines: [
          ['kept until ', { at: '2026-12-22T03:00:59Z', style: 'full' }],
          ['in summer ', { at: '2026-07-01T00:00:00+02:00', style: 'full' }],
        ],
      },
    ],
    buttons: [],
  },
} as const satisfies Record<string, Message>
