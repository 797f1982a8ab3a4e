/** Lies by amounts. */
import type { ServerResponse } from 'node:http'
import {
  type Answer,
  INSTANCES,
  instance,
  OPERATIONS,
  SERVER,
  VOLUMES,
  volume,
  writes,
} from '../lying-server.ts'
import { asText, MB, named, type Told } from './told.ts'

/** Until the other side has had enough, or so many bytes were sent. */
function stream(response: ServerResponse, chunk: string, most: number): void {
  let left = most
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= chunk.length
      if (!response.write(chunk)) {
        response.once('drain', more)
        return
      }
    }
    response.end()
  }
  more()
}

const endless =
  (chunk: string, most: number): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{"type":"sync","metadata":[')
    stream(response, chunk, most)
  }

const many = (count: number, of: (index: number) => string): string =>
  `[${Array.from({ length: count }, (_, index) => of(index)).join(',')}]`

const pools = (count: number): string =>
  many(count, (index) =>
    asText(
      instance({
        name: `i${index}`,
        expanded_devices: { root: { type: 'disk', path: '/', pool: `p${index}` } },
      }),
    ),
  )

export const AMOUNTS: Record<string, Told> = {
  '400,000 instances': {
    lie: { [INSTANCES]: writes(many(400_000, (index) => named(`i${index}`))) },
    known: 'nothing',
  },
  '200,000 operations': {
    lie: {
      [OPERATIONS]: writes(
        `{"running":${many(200_000, (index) => `{"id":"op${index}","status_code":103}`)}}`,
      ),
    },
    known: 'nothing',
  },
  '100,000 snapshots of one instance': {
    lie: {
      [VOLUMES]: writes(
        `[${asText(volume('web'))},${many(100_000, (index) => asText(volume(`web/s${index}`))).slice(1)}`,
      ),
    },
    known: 'less',
    why: /more than 20000 snapshots/,
  },
  '1,000 pools': { lie: { [INSTANCES]: writes(pools(1_000)) }, known: 'less' },
  'a list without an end': {
    lie: {
      [INSTANCES]: endless(`${asText(instance({ description: 'x'.repeat(1000) }))},`.repeat(100), 1300 * MB),
    },
    known: 'nothing',
    why: /longer than/,
  },
  'a list of nothing but short values': {
    lie: { [INSTANCES]: endless('[],'.repeat(50_000), 150 * MB) },
    known: 'nothing',
    why: /million values/,
  },
  'an object without an end': {
    lie: { [SERVER]: endless('1234567,'.repeat(5_000), 1300 * MB) },
    known: 'nothing',
    why: /longer than/,
  },
  'an error of 30 MB': {
    lie: {
      [INSTANCES]: (_, response) => {
        response.writeHead(500, { 'content-type': 'application/json' })
        response.end(
          JSON.stringify({ type: 'error', error_code: 500, error: `\u001b[31m${'no '.repeat(10 * MB)}` }),
        )
      },
    },
    known: 'nothing',
  },
}
