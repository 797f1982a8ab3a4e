import { describe, expect, test } from 'vitest'
import { files } from '../../../../shared/command/commands/files.ts'
import type { SeenFiles } from '../../../../shared/command/seen.ts'
import type { FileRow } from '../../../../shared/relay/protocol.ts'
import { err, ok } from '../../../../shared/result.ts'
import { said, seenOf } from './seen.ts'

const row = (name: string, more: Partial<FileRow> = {}): FileRow => ({
  ...{ name, kind: 'file', size: 1234, mode: '0644', uid: 0, gid: 12, modifiedAt: null },
  ...more,
})

const seen = (more: Partial<SeenFiles>) =>
  seenOf({
    files: ok({
      ...{ state: 'listed', of: 'main/default/web1', from: 'backup/default/web1', path: '/etc' },
      ...{ snapshot: 'nightly-20261122T0300Z', itself: row('etc', { kind: 'folder', size: null }) },
      ...{ entries: [], total: 0, next: null },
      ...more,
    }),
  })

describe('files', () => {
  test('tells what is in a folder, and how to get it', () => {
    const entries = [
      row('hosts', { modifiedAt: '2026-11-20T00:00:00.000Z' }),
      row('mtab', { kind: 'link', size: null, target: '../proc/mounts' }),
      row('ssl', { kind: 'folder', size: null, mode: '0755' }),
      row('pipe', { kind: 'other', size: null }),
    ]
    expect(said(files, seen({ entries, total: 4 }))).toMatchInlineSnapshot(`
      "info, to the caller: \`/etc\` in \`nightly-20261122T0300Z\` of \`backup/default/web1\`: 4 entries
        \`hosts\`: 1.2 kB, 0644, 0:12, <~2026-11-20 00:00>
        \`mtab\`: a link to \`../proc/mounts\`, 0644, 0:12
        \`ssl\`: a folder, 0755, 0:12
        \`pipe\`: a device, a pipe or a socket, 0644, 0:12
        get it by the API: \`GET /api/files/content?instance=main%2Fdefault%2Fweb1&snapshot=nightly-20261122T0300Z&from=backup&path=%2Fetc\`, as a tar"
    `)
  })

  test('tells of a file where to get it, under any name', () => {
    expect(said(files, seen({ path: '/a b&c', itself: row('a b&c') }))).toMatchInlineSnapshot(`
      "info, to the caller: \`/a b&c\` in \`nightly-20261122T0300Z\` of \`backup/default/web1\`: 1.2 kB, 0644, 0:12
        get it by the API: \`GET /api/files/content?instance=main%2Fdefault%2Fweb1&snapshot=nightly-20261122T0300Z&from=backup&path=%2Fa%20b%26c\`"
    `)
  })

  test('tells whoever asks over the API of the command line', () => {
    const actor = { ...seenOf().actor, platform: 'api' as const }
    const path = "/a b's"
    const get = 'get it by `stapes get main/default/web1 nightly-20261122T0300Z'
    const there = said(files, { ...seen({ path, itself: row("a b's") }), actor })
    expect(there).toContain(
      `${get} '/a b'\\''s' --from=backup --output=<file>\`, or by the API: \`GET /api/files/`,
    )
    expect(said(files, { ...seen({ path: '/', from: 'main/default/web1' }), actor })).toContain(
      `${get} / --output=<file>\`, or by the API: `,
    )
  })

  test('shows a name as text, whatever it would do in a terminal', () => {
    const shown = said(files, seen({ entries: [row('a\u001b[2J\u202etxt.exe')], total: 1 }))
    expect(shown).toContain('a [2J txt.exe')
  })

  test('tells why there is none', () => {
    const none = seenOf({ files: err({ reason: 'an instance is being made' }) })
    expect(said(files, none)).toBe('warning, to the caller: an instance is being made')
  })
})
