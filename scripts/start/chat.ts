/** What the environment holds for chat platforms: the secrets that the Worker is given, and the doors they open. */
import { NEEDED } from '../../functions/chatops/configure.ts'

export type Chat = {
  /** By name; whatever of them is set. */
  secrets: Record<string, string>
  /** Of the platforms of which anything is set. */
  doors: { platform: string; path: string; missing: string[] }[]
}

export function chatOf(environment: NodeJS.ProcessEnv): Chat {
  const platforms = Object.entries(NEEDED).map(([platform, needed]) => {
    const names = [...needed, `${platform.toUpperCase()}_CHANNEL_URL`]
    const given = names.flatMap((name): [string, string][] => {
      const value = environment[name] ?? ''
      return value === '' ? [] : [[name, value]]
    })
    const missing = needed.filter((name) => !given.some(([one]) => one === name))
    return { platform, path: `/chat/${platform}`, given, missing }
  })
  return {
    secrets: Object.fromEntries(platforms.flatMap(({ given }) => given)),
    doors: platforms
      .filter(({ given }) => given.length > 0)
      .map(({ platform, path, missing }) => ({ platform, path, missing })),
  }
}
