/** What `incus copy` has a flag for and a policy's `copy` has no key, with what stapes does instead. */

const MEMORY =
  'a copy is always made without the memory of what runs; "stateful": true in the policy keeps memory in the snapshots of virtual machines, and these go along'

const FLAGS: Readonly<Record<string, string>> = {
  refresh: 'not needed: what has no copy gets a first one, and that is refreshed from then on',
  refreshexcludeolder:
    'not needed: a refresh leaves out what is older than the newest snapshot that both sides have',
  excludeolder:
    'not needed: a refresh leaves out what is older than the newest snapshot that both sides have',
  instanceonly:
    'a copy without snapshots has nothing that can be verified, and a refresh without them would remove all that the copy has; /backup clone makes an instance of one snapshot alone',
  volumeonly:
    'a copy without snapshots has nothing that can be verified, and a refresh without them would remove all that the copy has; /backup clone makes a volume of one snapshot alone',
  stateless: MEMORY,
  stateful: MEMORY,
  live: MEMORY,
  allowinconsistent: 'it is called "allow" here, and that is "inconsistent" unless it says "freeze"',
  mode: 'it is called "transferMode" here',
  storage: 'it is called "pool" here',
  targetproject: 'it is called "project" here',
  noprofiles: 'say "profiles": []',
  ephemeral: 'a copy stays when it is stopped: an ephemeral one would be gone then',
}

/** Null: it isn't one. `key`: in any spelling, such as `instance-only`. */
export function copyFlag(key: string): string | null {
  const folded = key.toLowerCase().replace(/[-_ ]/g, '')
  return Object.hasOwn(FLAGS, folded) ? (FLAGS[folded] ?? null) : null
}
