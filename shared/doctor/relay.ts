/** What the relay says of itself, and whether it refuses strangers. */
import type { RelayFacts } from './examined.ts'
import { critical, type Finding, info, unknown, warning } from './finding.ts'

/** `ours`: version of the Worker. */
export function aboutRelay({ version, skew, isShut }: RelayFacts, ours: string): Finding[] {
  const off = Math.abs(skew)
  const way = skew > 0 ? 'ahead of' : 'behind'
  const clock = off >= 20 ? critical : off >= 5 ? warning : info
  return [
    ...(version === ours
      ? []
      : [
          warning(
            'versions-differ',
            null,
            `the relay is stapes ${version}, and the Worker ${ours}`,
            'update both: the relay first, and right after it the Worker',
          ),
        ]),
    ...(off < 2
      ? []
      : [
          clock(
            'clock-off',
            null,
            `the relay's clock is ${off} s ${way} the Worker's; from half a minute on it refuses what the Worker signs`,
            'correct it on the relay’s machine: timedatectl shows whether it is synchronized',
          ),
        ]),
    ...doorFindings(isShut),
  ]
}

function doorFindings(isShut: boolean | null): Finding[] {
  if (isShut === true) return []
  return isShut === false
    ? [
        critical(
          'relay-open',
          null,
          'the relay has answered a call that nobody had signed',
          'stop it, and find out what listens at RELAY_URL; then renew the signing key (npm run trust -- --renew-key)',
        ),
      ]
    : [
        unknown(
          'relay-untried',
          null,
          'whether the relay refuses what nobody has signed could not be tried',
          'have the relay answer first',
        ),
      ]
}
