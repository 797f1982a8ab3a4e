/** A topic of ntfy, by its address: the last part of the path is the topic. */
import * as z from 'zod/mini'
import { isLike, jsonPost, type Service } from '../service.ts'
import { render } from './message.ts'

export const ntfy: Service = {
  request({ letter, id, secrets: { url = '', token } }) {
    const { server, topic } = topicOf(url)
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    return jsonPost(server, render(letter, id, topic), headers)
  },
  took: isLike(z.looseObject({ id: z.string().check(z.minLength(1)) })),
}

/** JSON goes to the server itself, which may stand below a path. */
function topicOf(url: string): { server: string; topic: string } {
  const address = new URL(url)
  const parts = address.pathname.split('/').filter((part) => part !== '')
  const topic = parts.pop()
  if (topic === undefined) throw new Error('the address names no topic: https://ntfy.example.org/<topic>')
  return { server: `${address.origin}/${parts.join('/')}`, topic: decodeURIComponent(topic) }
}
