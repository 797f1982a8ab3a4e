/** Who sends a request, by ids that people can't change, and where. */
export type PlatformName = 'slack' | 'discord' | 'mattermost'

export type Actor = {
  platform: PlatformName | 'api'
  /** `slack:<team>/<user>`, `discord:<guild>/<user>`, `mattermost:<team>/<user>`, or `api`. */
  id: string
  /** All that grants may name: the id, and on Discord `discord:<guild>/@<role>` for each role. */
  principals: readonly string[]
  /** The platform's own user id, to mention without notifying. */
  user: string
  /** The display name; people can change it, so nothing is decided by it. */
  name: string
  /** `slack:<team>/<channel>` and alike; of the API the caller's address. */
  place: string
}
