import { describe, expect, test } from 'vitest'
import type { AuditRecord } from '../../../../shared/access/audit.ts'
import { history } from '../../../../shared/command/commands/history.ts'
import { whoami } from '../../../../shared/command/commands/whoami.ts'
import { parseConfig } from '../../../../shared/policy/parse.ts'
import { detailsLength } from '../../../chat/message-text.ts'
import { answer, said, seenOf } from './seen.ts'

const record = (more: Partial<AuditRecord> = {}): AuditRecord => ({
  id: 'a1',
  at: '2026-11-22T09:00:00.000Z',
  who: 'slack:T1/U1',
  name: 'ada',
  from: 'slack:T1/C1',
  what: 'now web1',
  instances: ['main/default/web1'],
  outcome: { state: 'done', text: '1 of 1', at: '2026-11-22T09:00:02.000Z' },
  ...more,
})

describe('history', () => {
  const records = [
    record({
      what: 'restore web1 nightly-20261121T0300Z',
      askedBy: 'slack:T1/U2',
      id: 'a3',
      outcome: {
        state: 'failed',
        text: 'the pool is gone since 2026-11-22T08:00:00Z',
        at: '2026-11-22T09:00:02.000Z',
      },
    }),
    record({ id: 'a2', what: 'copy web1', name: 'bob' }),
    { ...record({ id: 'a1', what: 'pause nightly' }), instances: [] },
  ]

  test('tells who did what, and what came of it', () => {
    expect(said(history, seenOf({ history: records }))).toMatchInlineSnapshot(`
      "info, to the caller: The newest 3 changes
        <2026-11-22 09:00> ada (requested by \`slack:T1/U2\`): \`restore web1 nightly-20261121T0300Z\` – failed: the pool is gone since <2026-11-22 08:00>
        <2026-11-22 09:00> bob: \`copy web1\` – done: 1 of 1
        <2026-11-22 09:00> ada: \`pause nightly\` – done: 1 of 1"
    `)
  })

  test('gives as many as were asked for', () => {
    expect(said(history, seenOf({ history: records }), { count: '1' })).not.toContain('bob')
  })

  test('keeps what is about an instance that the asker may not see', () => {
    const both = record({ what: 'now secret web1', instances: ['main/default/web1', 'main/default/secret'] })
    const maySee = (key: string): boolean => key.endsWith('/web1')
    const text = said(history, seenOf({ history: [both, ...records], maySee }))
    expect(text).not.toContain('secret')
    expect(text).toContain('copy web1')
  })

  test('says so when there is nothing, and stays short when there is much', () => {
    expect(said(history, seenOf())).toContain('There are no changes that you may see')
    const many = Array.from({ length: 100 }, () => record({ what: `now ${'w'.repeat(3000)}` }))
    const message = answer(history, seenOf({ history: many }), { count: '100' })
    expect(detailsLength(message)).toBeLessThan(2500)
  })
})

describe('whoami', () => {
  test('tells somebody without a grant how an admin gives one', () => {
    expect(said(whoami, seenOf())).toMatchInlineSnapshot(`
      "warning, to the caller: You are \`slack:T1/U1\`, and no grant names you yet: an admin can add one to stapes.jsonc and apply it
        Grants may name \`slack:T1/U1\`
        | "access": {
        |   "grants": [
        |     { "who": ["slack:T1/U1"], "role": "viewer" }
        |   ]
        | }"
    `)
    expect(said(whoami, seenOf({ config: null }))).toContain('no grant names you yet')
  })

  test('tells whoever has the API’s token that it needs no grant', () => {
    const actor = { ...seenOf().actor, platform: 'api' as const, id: 'api', principals: ['api'] }
    expect(said(whoami, seenOf({ actor }))).toBe(
      'info, to the caller: You have the API’s token: you may do all that needs no second person',
    )
  })

  test('shows a grant that a configuration takes', () => {
    const snippet = answer(whoami, seenOf()).details.flatMap((block) =>
      block.kind === 'code' ? [block.text] : [],
    )
    const document = JSON.parse(`{"policies":{},${snippet.join('')}}`) as { access: unknown }
    const parsed = parseConfig({
      ...document,
      policies: { hourly: { schedule: '@hourly', remotes: ['main'] } },
    })
    expect(parsed).toMatchObject({ ok: true, value: { access: { grants: [{ who: ['slack:T1/U1'] }] } } })
  })

  test('tells what one may do, and every id that grants may name', () => {
    const principals = ['discord:G1/U1', 'discord:G1/@R1']
    const actor = { ...seenOf().actor, platform: 'discord' as const, id: 'discord:G1/U1', principals }
    const access = {
      groups: {},
      grants: [{ who: ['discord:G1/@R1'], role: 'operator' as const, commands: null, instances: ['web*'] }],
    }
    expect(said(whoami, seenOf({ actor, config: { policies: [], access } }))).toMatchInlineSnapshot(`
      "info, to the caller: You are \`discord:G1/U1\`
        operator: all commands of the role operator on web* (granted to discord:G1/@R1)
        Grants may name \`discord:G1/U1\`
        Grants may name \`discord:G1/@R1\`"
    `)
  })

  test('stays short for somebody of a hundred roles', () => {
    const principals = Array.from({ length: 100 }, (_, index) => `discord:123456789/@99999999${index}`)
    const message = answer(whoami, seenOf({ actor: { ...seenOf().actor, principals } }))
    expect(detailsLength(message)).toBeLessThan(2500)
  })
})
