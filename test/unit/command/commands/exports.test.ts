import { describe, expect, test } from 'vitest'
import { exportList } from '../../../../shared/command/commands/exports.ts'
import { err, ok } from '../../../../shared/result.ts'
import type { ListedExport, StoredExports } from '../../../../shared/work/export/manifest.ts'
import { said, seenOf } from './seen.ts'

const row = (store: string, name: string, more: Partial<ListedExport> = {}): ListedExport => ({
  ...{ store, name, snapshot: { name: 'nightly-20261122T0300Z', createdAt: '2026-11-22T03:00:00Z' } },
  ...{ madeAt: '2026-11-22T03:10:00Z', optimized: false, bytes: 1_234_000_000 },
  ...{ sha256: '0'.repeat(64), encrypted: false },
  reason: 'last 1 of 3',
  ...more,
})

const stored = (stores: StoredExports['stores']) =>
  seenOf({ exports: ok({ instance: 'main/default/web1', stores }) })

describe('exports', () => {
  test('tells what each store has, and which could not be read', () => {
    expect(
      said(
        exportList,
        stored([
          {
            store: 'nas',
            exports: [row('nas', '20261122T031000Z', { encrypted: true })],
            problem: null,
            strays: [],
          },
          { store: 'r2', exports: null, problem: 'https://r2.example answered 403', strays: [] },
        ]),
      ),
    ).toMatchInlineSnapshot(`
      "bad, to the caller: \`main/default/web1\`: 1 export, and 1 store that could not be read
        \`r2\` could not be read: https://r2.example answered 403
        \`nas\` \`20261122T031000Z\`: nightly-20261122T0300Z, 1.2 GB, encrypted; last 1 of 3"
    `)
  })

  test('tells where there is no store, and no such instance', () => {
    expect(said(exportList, stored([]))).toMatchInlineSnapshot(
      `"info, to the caller: The relay has no store for exports: "exports" in its configuration names them"`,
    )
    const none = seenOf({ exports: err({ code: 'not-found', reason: 'there is no instance "web9"' }) })
    expect(said(exportList, none)).toMatchInlineSnapshot(
      `"warning, to the caller: there is no instance "web9""`,
    )
  })

  test('tells nothing of what one may not see', () => {
    const hidden = {
      ...stored([{ store: 'nas', exports: [row('nas', '1')], problem: null, strays: [] }]),
      maySee: () => false,
    }
    expect(said(exportList, hidden)).toMatchInlineSnapshot(
      `"warning, to the caller: There is no such instance that you may see"`,
    )
  })
})
