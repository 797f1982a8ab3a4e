/** Workers KV in this process, for as long as it runs. stapes uses no more of it than this. */
import type { Env } from '../../functions/env.ts'

export function memoryKv(): Env['STATE'] {
  const values = new Map<string, string>()
  const kv = {
    async get(key: string | string[]) {
      if (typeof key === 'string') return values.get(key) ?? null
      return new Map(key.map((one) => [one, values.get(one) ?? null]))
    },
    async put(key: string, value: string) {
      values.set(key, value)
    },
    async delete(key: string) {
      values.delete(key)
    },
    async list({ prefix = '' }: { prefix?: string } = {}) {
      const names = [...values.keys()].filter((key) => key.startsWith(prefix)).sort()
      return { keys: names.map((name) => ({ name })), list_complete: true }
    },
  }
  return kv as unknown as Env['STATE']
}
