/** The codes of findings, each with the area that it belongs to: docs/doctor.md has a line for each. */

export const CODES = {
  'relay-silent': 'relay',
  'remote-silent': 'relay',
  'role-wrong': 'relay',
  'config-missing': 'edge',
  'config-unused': 'edge',
  'ticks-late': 'edge',
  'ticks-none': 'edge',
  'status-bad': 'edge',
  'kv-fails': 'kv',
  'kv-writes': 'kv',
  'channels-none': 'channels',
  'channel-fails': 'channels',
  'channel-untried': 'channels',
  'clock-off': 'clocks',
  'clock-unknown': 'clocks',
  'version-exports': 'versions',
  'version-advisories': 'versions',
  'version-unknown': 'versions',
  'pool-freezes': 'pools',
  'pool-restores': 'pools',
  'pool-unknown': 'pools',
  'key-unknown': 'keys',
  'key-misplaced': 'keys',
  'key-left': 'keys',
  'key-unsealed': 'keys',
  'keys-unread': 'keys',
  'copy-orphan': 'leftovers',
  leftover: 'leftovers',
  'leftovers-unread': 'leftovers',
  incustmp: 'leftovers',
} as const

export type Code = keyof typeof CODES
export type Area = (typeof CODES)[Code]

export const AREAS: readonly Area[] = [...new Set(Object.values(CODES))]
