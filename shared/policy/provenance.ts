/** Where a value comes from, in words that fit after "from" or "by". */
import type { Origin } from './overrides.ts'

export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'the built-in default'
    case 'defaults':
      return '"defaults" in stapes.jsonc'
    case 'policy':
      return `policy ${origin.policy}`
    case 'instance':
      return `${origin.key} on the instance`
    case 'profile':
      return `${origin.key} in a profile`
  }
}
