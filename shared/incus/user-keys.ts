/** Which `user.*` keys of instances may leave their server. */

/** Those that cloud-init reads from an instance. */
const SECRET: readonly string[] = [
  'user.meta-data',
  'user.network-config',
  'user.user-data',
  'user.vendor-data',
]

export const holdsSecrets = (key: string): boolean => SECRET.includes(key)

export const LONGEST_KEY = 200

/** Policies may select by any other `user.*` key, and its value then goes to the Worker. */
export const maySelectBy = (key: string): boolean =>
  key.startsWith('user.') && key.length <= LONGEST_KEY && !holdsSecrets(key)
