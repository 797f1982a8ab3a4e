/** Reading of request bodies, in Go's manner: what is missing has its zero value, what is unknown is ignored. */
import { Refusal } from './envelope.ts'
import type { Config, Devices } from './state.ts'

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function record(value: unknown): Record<string, unknown> {
  if (value === undefined) throw new Refusal(400, 'EOF')
  if (isRecord(value)) return value
  throw new Refusal(400, `json: cannot unmarshal ${typeof value} into Go value`)
}

export const field = (body: unknown, key: string): unknown => record(body)[key]

export const section = (body: Record<string, unknown>, key: string): Record<string, unknown> => {
  const value = body[key]
  return isRecord(value) ? value : {}
}

export const text = (body: Record<string, unknown>, key: string): string => {
  const value = body[key] ?? ''
  if (typeof value === 'string') return value
  throw new Refusal(400, `json: cannot unmarshal ${typeof value} into Go struct field .${key} of type string`)
}

export function config(body: Record<string, unknown>, key = 'config'): Config {
  const entries = Object.entries(section(body, key))
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}

export function devices(body: Record<string, unknown>): Devices {
  const entries = Object.entries(section(body, 'devices')).filter(([, value]) => isRecord(value))
  return Object.fromEntries(entries.map(([name, value]) => [name, config({ value }, 'value')]))
}

/** Null when the body says nothing about it. */
export function strings(body: Record<string, unknown>, key: string): string[] | null {
  const value = body[key]
  return Array.isArray(value) ? value.map(String) : null
}
