/** `GET /metrics`, for whoever has the token of relay.jsonc. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { CONTENT_TYPES, expose, formatFor } from '../../shared/metrics/exposition.ts'
import type { Family } from '../../shared/metrics/family.ts'
import { sendProblem } from '../problem.ts'

export type Scrape = (message: IncomingMessage, response: ServerResponse) => void

export function createScrape(token: string, families: () => Family[]): Scrape {
  const expected = digestOf(token)
  return ({ headers: { authorization = '', accept } }, response) => {
    const given = /^Bearer +(.+)$/i.exec(authorization)?.[1] ?? ''
    if (!timingSafeEqual(digestOf(given), expected)) return sendProblem(response, DENIED)
    const format = formatFor(accept)
    const text = expose(families(), format)
    response.writeHead(200, {
      'content-type': CONTENT_TYPES[format],
      'content-length': Buffer.byteLength(text),
    })
    response.end(text)
  }
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()

const DENIED = {
  ...{ status: 401, code: 'unauthorized', challenge: 'Bearer realm="stapes relay"' },
  detail: 'send the header "Authorization: Bearer <the token under "metrics" in relay.jsonc>"',
}
