/** E-mail by the HTTP API of a provider: a Worker can't speak SMTP. */
import * as z from 'zod/mini'
import type { Provider } from '../../../shared/notify/channel.ts'
import { isLike, jsonPost, type Outgoing, type Service } from '../service.ts'
import { render } from './message.ts'

export const email: Service = {
  request({ channel, letter, id, secrets: { token = '' } }) {
    if (channel.email === null) throw new Error('it names no provider, sender and receivers')
    const { provider, from, to } = channel.email
    return PROVIDED[provider]({ from, to, token, id, ...render(letter) })
  },
  took: (answer, { channel: { email } }) => email !== null && TAKEN[email.provider](answer),
}

type Written = { from: string; to: string[]; token: string; id: string; subject: string; text: string }

const PROVIDED: Record<Provider, (mail: Written) => Outgoing> = {
  // It sends a mail with the same key once within a day.
  resend: ({ token, id, ...mail }) =>
    jsonPost('https://api.resend.com/emails', mail, {
      authorization: `Bearer ${token}`,
      'idempotency-key': id,
    }),
  postmark: ({ from, to, token, id, subject, text }) =>
    jsonPost(
      'https://api.postmarkapp.com/email',
      {
        From: from,
        To: to.join(', '),
        Subject: subject,
        TextBody: text,
        Metadata: { id },
        MessageStream: 'outbound',
      },
      { accept: 'application/json', 'x-postmark-server-token': token },
    ),
  sendgrid: ({ from, to, token, id, subject, text }) =>
    jsonPost(
      'https://api.sendgrid.com/v3/mail/send',
      {
        personalizations: [{ to: to.map(addressOf) }],
        ...{ from: addressOf(from), subject, content: [{ type: 'text/plain', value: text }] },
        custom_args: { id },
      },
      { authorization: `Bearer ${token}` },
    ),
}

const TAKEN: Record<Provider, (answer: string) => boolean> = {
  resend: isLike(z.looseObject({ id: z.string().check(z.minLength(1)) })),
  postmark: isLike(z.looseObject({ ErrorCode: z.literal(0) })),
  sendgrid: (answer) => answer.trim() === '',
}

/** `stapes <backups@example.org>`, taken apart. */
function addressOf(address: string): { email: string; name?: string } {
  const [, name, mail] = /^(.+) <(.+)>$/.exec(address) ?? []
  return name === undefined || mail === undefined ? { email: address } : { email: mail, name }
}
