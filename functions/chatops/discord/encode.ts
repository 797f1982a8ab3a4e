/** A message in Discord's form: the headline as its text, the details as one embed, and buttons. */
import type { Button, Message } from '../../../shared/chat/message.ts'
import { blocksOf, lineOf } from './text.ts'

/** Nobody but the caller sees it. Discord calls it ephemeral. */
export const HIDDEN = 64

const LONGEST = { content: 2000, description: 4096, label: 80, token: 100, buttons: 25 }
const COLOURS: Record<Message['tone'], number> = {
  good: 0x2e8b57,
  info: 0x4a7ebb,
  warning: 0xe0a030,
  bad: 0xc93c37,
}

/** Every key is always set: when a message is replaced, an absent key would leave the old value. */
export function encode({ headline, tone, details, buttons }: Message) {
  const description = blocksOf(details, LONGEST.description)
  return {
    content: lineOf(headline, LONGEST.content),
    embeds: description.trim() === '' ? [] : [{ description, color: COLOURS[tone] }],
    components: rowsOf(buttons),
    allowed_mentions: { parse: [] },
  }
}

/** Rows of five. Throws for buttons that Discord would refuse: they are made here, so it is a bug. */
function rowsOf(buttons: readonly Button[]) {
  const tokens = new Set(buttons.map(({ token }) => token))
  const wrong = [...tokens].find((token) => token === '' || token.length > LONGEST.token)
  if (wrong !== undefined || tokens.size < buttons.length || buttons.length > LONGEST.buttons)
    throw new Error(
      `Discord takes up to ${LONGEST.buttons} buttons, each with a token of its own of 1 to ${LONGEST.token} characters`,
    )
  const rows = Array.from({ length: Math.ceil(buttons.length / 5) }, (_, row) =>
    buttons.slice(row * 5, row * 5 + 5),
  )
  return rows.map((row) => ({ type: 1, components: row.map(encodeButton) }))
}

const encodeButton = ({ label, token, style }: Button) => ({
  type: 2,
  style: style === 'danger' ? 4 : 2,
  label: [...label].slice(0, LONGEST.label).join(''),
  custom_id: token,
})
