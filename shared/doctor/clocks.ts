/** Clocks that are wrong: names, dates and expiries follow them. */
import type { Examined } from './examined.ts'
import { critical, type Finding, info, unknown, warning } from './finding.ts'

/** Seconds. From then on stapes warns, and from then on it does less. */
const WARNED = 600
const GRAVE = 3600

const SET = 'correct it on that server: timedatectl shows whether it is synchronized'

export function aboutClocks({ remotes }: Examined): Finding[] {
  return Object.entries(remotes).flatMap(([remote, reply]): Finding[] => {
    if (!reply.ok)
      return [
        unknown(
          'clock-unknown',
          remote,
          `whether the clock of ${remote} is right isn't known`,
          'have it answer first',
        ),
      ]
    const { skew = 0 } = reply.inventory.server
    return skewFindings(remote, `the clock of ${remote}`, skew)
  })
}

/** `skew`: seconds that it is ahead of the relay's, or behind it (negative). */
function skewFindings(about: string, what: string, skew: number): Finding[] {
  if (skew === 0) return []
  const off = Math.abs(skew)
  const tell = off >= GRAVE ? critical : off >= WARNED ? warning : info
  const way = skew > 0 ? 'ahead of' : 'behind'
  return [tell('clock-off', about, `${what} is ${spanText(off)} ${way} the relay's`, SET)]
}

const spanText = (seconds: number): string =>
  seconds < 120
    ? `${seconds} s`
    : seconds < 7200
      ? `${Math.round(seconds / 60)} min`
      : `${Math.round(seconds / 3600)} h`
