/** What a grant may name: ids that the platforms assign, never display names, which people choose themselves. */
import { own } from '../own.ts'
import { nearest } from '../policy/nearest.ts'
import { err, ok, type Result } from '../result.ts'

type Form = { shape: string; example: string; pattern: RegExp }

const FORMS: Record<string, Form> = {
  slack: {
    shape: 'slack:<team>/<user>',
    example: 'slack:T024BE7LD/U024BE7LH',
    pattern: /^slack:[TE][A-Z0-9]{1,30}\/[UW][A-Z0-9]{1,30}$/,
  },
  discord: {
    shape: 'discord:<server>/<user> or discord:<server>/@<role>',
    example: 'discord:197038439483310086/@41771983423143936',
    // `@me` stands for direct messages, where nobody has a role.
    pattern: /^discord:(\d{1,20}\/@?\d{1,20}|@me\/\d{1,20})$/,
  },
  mattermost: {
    shape: 'mattermost:<team>/<user>',
    example: 'mattermost:gfn1yb8mu7rgdgqhm8bbbb8pca/q7asrz4dftbrdmqyzqmskz6w1w',
    pattern: /^mattermost:[a-z0-9]{26}\/[a-z0-9]{26}$/,
  },
}

export const GROUP = 'group:'

export const EXPECTED_ID =
  'an id, such as "slack:T024BE7LD/U024BE7LH" or "discord:197038439483310086/@41771983423143936"'

/** Any of the forms, for editors. */
export const ID_PATTERN = Object.values(FORMS)
  .map(({ pattern }) => pattern.source)
  .join('|')

const WHOAMI = '"/backup whoami" shows everyone their own id'

/** The error is a sentence that says what to write instead. */
export function parseId(text: string): Result<string, string> {
  const platform = text.split(':', 1)[0] ?? ''
  const form = own(FORMS, platform)
  if (form?.pattern.test(text) === true) return ok(text)
  const found = JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text)
  if (form !== undefined) {
    return err(`expected ${form.shape}, such as ${JSON.stringify(form.example)}, got ${found}: ${WHOAMI}`)
  }
  return err(`expected ${EXPECTED_ID}, got ${found}: ${hintFor(text, platform)}`)
}

function hintFor(text: string, platform: string): string {
  const meant = text.includes(':') ? nearest(platform, Object.keys(FORMS)) : null
  if (meant !== null) return `did you mean "${meant}:…"?`
  if (text.startsWith(GROUP)) return 'a group holds ids, not other groups'
  return `names don't count, since people can change them; ${WHOAMI}`
}
