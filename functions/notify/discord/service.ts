/** A webhook of Discord, which can edit what it has posted. */
import * as z from 'zod/mini'
import { isLike, jsonPost, type Service } from '../service.ts'
import { render } from './message.ts'

const posted = z.looseObject({ id: z.string().check(z.regex(/^\d{1,20}$/)) })

export const discord: Service = {
  request: ({ letter, secrets: { url = '' } }) => jsonPost(waited(url), render(letter)),
  took: isLike(posted),
  ref(answer) {
    const parsed = posted.safeParse(answer)
    return parsed.success ? parsed.data.id : null
  },
  edit: ({ secrets: { url = '' } }, ref, message) => ({
    ...jsonPost(messageUrl(url, ref), render({ message })),
    method: 'PATCH',
  }),
}

/** Else the answer is empty, and a message that Discord refuses looks as if it were posted. */
function waited(url: string): string {
  const address = new URL(url)
  address.searchParams.set('wait', 'true')
  return address.href
}

/** Keeps `thread_id`. */
function messageUrl(url: string, ref: string): string {
  const address = new URL(url)
  address.pathname = `${address.pathname}/messages/${encodeURIComponent(ref)}`
  return address.href
}
