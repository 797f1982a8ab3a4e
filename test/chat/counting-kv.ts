/** Workers KV in memory, which counts what is done and can refuse writes, as when the day's allowance is used up. */
export class CountingKv {
  readonly values = new Map<string, string>()
  counts = { reads: 0, writes: 0, deletes: 0, lists: 0 }
  /** These are refused. */
  refusing: { writes: boolean; deletes: boolean } = { writes: false, deletes: false }

  reset(): void {
    this.counts = { reads: 0, writes: 0, deletes: 0, lists: 0 }
  }

  /** As the binding, of which stapes uses only these. */
  binding(): KVNamespace {
    const get = async (key: string | string[]) => {
      this.counts.reads += 1
      if (typeof key === 'string') return this.values.get(key) ?? null
      return new Map(key.map((one) => [one, this.values.get(one) ?? null]))
    }
    const put = async (key: string, value: string) => {
      this.counts.writes += 1
      if (this.refusing.writes) throw new Error('KV PUT failed: 429 Too Many Requests')
      this.values.set(key, value)
    }
    const remove = async (key: string) => {
      this.counts.deletes += 1
      if (this.refusing.deletes) throw new Error('KV DELETE failed: 429 Too Many Requests')
      this.values.delete(key)
    }
    const list = async ({ prefix = '', limit = 1000 }: { prefix?: string; limit?: number } = {}) => {
      this.counts.lists += 1
      const names = [...this.values.keys()].filter((key) => key.startsWith(prefix)).sort()
      return { keys: names.slice(0, limit).map((name) => ({ name })), list_complete: true }
    }
    return { get, put, delete: remove, list } as unknown as KVNamespace
  }
}
