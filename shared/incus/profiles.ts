/** A project's profiles, as `GET /1.0/profiles?recursion=1` lists them (its metadata). */
import * as z from 'zod/mini'

const strings = z.record(z.string(), z.string())

const schema = z.array(
  z.object({
    name: z.string(),
    config: z.nullish(strings),
    devices: z.nullish(z.record(z.string(), strings)),
  }),
)

export type Profile = { config: Record<string, string>; devices: Record<string, Record<string, string>> }
export type Profiles = ReadonlyMap<string, Profile>

/** Null when it is no such list: then nothing is known of them. */
export function parseProfiles(metadata: unknown): Profiles | null {
  const parsed = schema.safeParse(metadata)
  if (!parsed.success) return null
  return new Map(
    parsed.data.map(({ name, config, devices }) => [name, { config: config ?? {}, devices: devices ?? {} }]),
  )
}
