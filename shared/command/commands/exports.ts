/** `exports`: which files there are of an instance, in the stores of the relay. */
import { sizeOf } from '../../chat/age.ts'
import { fold } from '../../chat/details.ts'
import type { Message, Text } from '../../chat/message.ts'
import { count, cut, spoken, typed } from '../../chat/words.ts'
import type { ListedExport, StoredExports } from '../../work/export/manifest.ts'
import type { ReadCommand } from '../command.ts'
import { INSTANCE } from '../scope.ts'
import { nothingConfigured } from '../unconfigured.ts'

export const exportList: ReadCommand = {
  kind: 'read',
  name: 'exports',
  summary: 'List the export files of an instance or a custom volume, also of one that is gone',
  role: 'viewer',
  parameters: [INSTANCE],
  examples: ['exports web1', 'exports main/default/web1'],
  needs: 'exports',
  answer: (_, { config, exports, maySee, room }) => {
    if (config === null || exports === undefined) return nothingConfigured()
    if (!exports.ok) return said('warning', exports.error.reason, [])
    // One that is gone is in no list that could be narrowed.
    return maySee(exports.value.instance)
      ? listed(exports.value, room)
      : said('warning', 'There is no such instance that you may see', [])
  },
}

const said = (tone: Message['tone'], headline: string, lines: Text[]): Message => ({
  ...{ to: 'caller', tone, headline: spoken(headline), buttons: [] },
  details: fold(lines, [typed('status'), ' shows what is being exported']),
})

function listed({ instance, stores }: StoredExports, room: number | undefined): Message {
  if (stores.length === 0)
    return said('info', 'The relay has no store for exports: "exports" in its configuration names them', [])
  const rows = stores.flatMap(({ exports }) => exports ?? [])
  const strays = stores.flatMap(({ store, strays: some }) =>
    some.map((stray): Text => [{ code: store }, ': ', ...spoken(cut(stray, 300))]),
  )
  const unread = stores.flatMap(({ store, problem }): Text[] =>
    problem === null ? [] : [[{ code: store }, ' could not be read: ', ...spoken(cut(problem, 200))]],
  )
  return {
    to: 'caller',
    tone: unread.length > 0 ? 'bad' : 'info',
    headline: [
      { code: instance },
      `: ${count(rows.length, 'export')}`,
      unread.length === 0 ? '' : `, and ${count(unread.length, 'store')} that could not be read`,
    ],
    details: fold(
      [...unread, ...strays, ...rows.map(rowText)],
      ['the stores themselves have them all'],
      room,
    ),
    buttons: [],
  }
}

const rowText = ({ store, name, snapshot, bytes, encrypted, optimized, reason }: ListedExport): Text => [
  { code: store },
  ' ',
  { code: name },
  `: ${snapshot.name}, ${sizeOf(bytes)}${encrypted ? ', encrypted' : ''}${optimized ? ', in the form of its driver' : ''}; ${reason}`,
]
