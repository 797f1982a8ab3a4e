/** Certificates that end, or have ended. */
import { own } from '../own.ts'
import type { RelayFacts } from './examined.ts'
import { critical, type Finding, unknown, warning } from './finding.ts'

const DAY = 86_400_000
/** Days. */
const URGENT = 7
const SOON = 30

export function aboutCertificates({ certificates, remotes }: RelayFacts, now: Date): Finding[] {
  const client = endFindings(
    { about: null, what: 'the relay’s client certificate', end: certificates.client },
    'npm run trust -- --renew makes another one; docs/operations.md, "Renewing keys and certificates"',
    now,
  )
  const servers = Object.keys(remotes).flatMap((remote) =>
    endFindings(
      { about: remote, what: `the certificate of ${remote}`, end: own(certificates.remotes, remote) ?? null },
      `renew it on that server, then npm run trust -- ${remote} --renew-server`,
      now,
    ),
  )
  return [...client, ...servers]
}

type Ending = { about: string | null; what: string; end: string | null }

function endFindings({ about, what, end }: Ending, cure: string, now: Date): Finding[] {
  if (end === null)
    return [
      unknown('certificate-unknown', about, `when ${what} ends isn't known`, 'have that party answer first'),
    ]
  const days = Math.floor((Date.parse(end) - now.getTime()) / DAY)
  if (days < 0) return [critical('certificate-ends', about, `${what} has ended at ${end}`, cure)]
  if (days > SOON) return []
  const tell = days <= URGENT ? critical : warning
  return [tell('certificate-ends', about, `${what} ends at ${end}, in ${days} days`, cure)]
}
