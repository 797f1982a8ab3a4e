/** The same load for every proxy: keep-alive connections, each with one request under way. */
import { Pool } from 'undici'

/** What makes one request differ from the next, computed beforehand so that it costs nothing here. */
/** With a body it is a POST. */
export type Prepared = { path: string; headers: Record<string, string>[]; body?: string }

export type Load = {
  /** Milliseconds of each request. */
  latencies: number[]
  perSecond: number
}

/** Sends what is prepared, until all is sent; throws on any other answer than 200. */
export async function sendLoad(origin: string, connections: number, prepared: Prepared): Promise<Load> {
  const { path, body = null } = prepared
  const method = body === null ? 'GET' : 'POST'
  const pool = new Pool(origin, { connections, pipelining: 1 })
  const rest = [...prepared.headers]
  const latencies: number[] = []
  const drain = async () => {
    for (let headers = rest.pop(); headers !== undefined; headers = rest.pop()) {
      const began = performance.now()
      const reply = await pool.request({ method, path, headers, body })
      await reply.body.bytes()
      latencies.push(performance.now() - began)
      if (reply.statusCode !== 200) throw new Error(`${origin}${path}: ${reply.statusCode}`)
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: connections }, drain))
  const seconds = (performance.now() - began) / 1000
  await pool.close()
  return { latencies, perSecond: latencies.length / seconds }
}
