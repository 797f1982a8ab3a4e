/** `files`: what a snapshot has at a path. */
import { sizeOf } from '../../chat/age.ts'
import { fold } from '../../chat/details.ts'
import type { Message, Text } from '../../chat/message.ts'
import { count, spoken } from '../../chat/words.ts'
import type { FileRow } from '../../relay/protocol.ts'
import { safeText } from '../../safe-text.ts'
import { shellWord } from '../../shell.ts'
import type { ReadCommand } from '../command.ts'
import { FROM, INSTANCE, SNAPSHOT } from '../scope.ts'
import type { SeenFiles } from '../seen.ts'
import { nothingConfigured } from '../unconfigured.ts'

export const files: ReadCommand = {
  kind: 'read',
  name: 'files',
  summary: 'List the files that a snapshot holds, here or on the backup server, and say how to get one',
  role: 'admin',
  seldom: true,
  parameters: [
    INSTANCE,
    SNAPSHOT,
    { name: 'path', kind: 'path', description: 'A folder or a file, such as /etc', required: false },
    FROM,
  ],
  examples: ['files web1 daily-20261122T0300Z /etc', 'files web1 daily-20261122T0300Z / --from=backup'],
  needs: 'files',
  answer: (_, { config, files: seen, actor }) => {
    if (config === null || seen === undefined) return nothingConfigured()
    return seen.ok ? listed(seen.value, actor.platform === 'api') : said('warning', seen.error.reason)
  },
}

const said = (tone: Message['tone'], text: string): Message => ({
  ...{ to: 'caller', tone, headline: spoken(text), details: [], buttons: [] },
})

/** `inShell`: whoever asks may well have the command line. */
function listed({ of, from, snapshot, path, itself, entries, total }: SeenFiles, inShell: boolean): Message {
  const where: Text = [{ code: safeText(path) }, ' in ', { code: snapshot }, ' of ', { code: from }]
  const get: Text = [
    ...(inShell ? ['get it by ', { code: getOf({ of, from, snapshot, path }) }, ', or '] : ['get it ']),
    'by the API: ',
    { code: contentOf({ of, from, snapshot, path }) },
  ]
  const isFolder = itself.kind === 'folder'
  return {
    ...{ to: 'caller', tone: 'info', buttons: [] },
    headline: isFolder
      ? [...where, `: ${count(total, 'entry', 'entries')}`]
      : [...where, ': ', ...aboutOf(itself)],
    details: [
      ...fold(entries.map(rowText), ['GET /api/files lists all of them'], ROOM),
      // What has no contents can't be got.
      ...(isFolder || itself.kind === 'file' ? fold([isFolder ? [...get, ', as a tar'] : get], []) : []),
    ],
  }
}

/** Characters, with the address below. */
const ROOM = 1800

const rowText = (row: FileRow): Text => [{ code: safeText(row.name) }, ': ', ...aboutOf(row)]

function aboutOf({ kind, size, mode, uid, gid, modifiedAt, target }: FileRow): Text {
  const what: Text =
    kind === 'file'
      ? [sizeOf(size ?? 0)]
      : kind === 'link'
        ? ['a link to ', { code: safeText(target ?? '') }]
        : [kind === 'folder' ? 'a folder' : 'a device, a pipe or a socket']
  const when: Text = modifiedAt === null ? [] : [', ', { at: modifiedAt, style: 'ago' }]
  return [...what, `, ${mode}, ${uid}:${gid}`, ...when]
}

type Got = Pick<SeenFiles, 'of' | 'from' | 'snapshot' | 'path'>

function getOf({ of, from, snapshot, path }: Got): string {
  const [remote = ''] = from.split('/')
  const elsewhere = of.startsWith(`${remote}/`) ? [] : [`--from=${remote}`]
  const words = ['stapes', 'get', of, snapshot, path, ...elsewhere].map(shellWord)
  return [...words, '--output=<file>'].join(' ')
}

/** Its address in the API. */
function contentOf({ of, from, snapshot, path }: Got): string {
  const [remote = ''] = from.split('/')
  const query = Object.entries({ instance: of, snapshot, from: remote, path })
  return `GET /api/files/content?${query.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&')}`
}
