import type { Env } from './env.ts'

/** Secrets of the Worker, by name. */
export type Vault = (name: string) => string | undefined

export const vaultOf =
  (env: Env): Vault =>
  (name) => {
    const value: unknown = Object.getOwnPropertyDescriptor(env, name)?.value
    return typeof value === 'string' ? value : undefined
  }
