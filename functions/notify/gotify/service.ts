/** An application of a Gotify server. */
import * as z from 'zod/mini'
import { isLike, jsonPost, type Service } from '../service.ts'
import { render } from './message.ts'

export const gotify: Service = {
  request({ letter, secrets: { url = '', token = '' } }) {
    const address = new URL(url)
    address.pathname = `${address.pathname.replace(/\/+$/, '')}/message`
    return jsonPost(address.href, render(letter), { 'x-gotify-key': token })
  },
  took: isLike(z.looseObject({ id: z.number() })),
}
