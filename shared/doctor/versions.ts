/** What is known to be bad about the versions in use. */
import { refuseWay } from '../incus/export-trust.ts'
import { advisoriesOf, diesOfExports, parseVersion } from './advisories.ts'
import type { Examined } from './examined.ts'
import { type Finding, info, unknown, warning } from './finding.ts'

export function aboutVersions({ remotes, coverages }: Examined): Finding[] {
  return Object.entries(remotes).flatMap(([remote, reply]): Finding[] => {
    if (!reply.ok)
      return [
        unknown(
          'version-unknown',
          remote,
          `which version of Incus ${remote} has isn't known`,
          'have it answer first',
        ),
      ]
    const { version: text } = reply.inventory.server
    const version = parseVersion(text)
    if (version === null)
      return [
        unknown(
          'version-unknown',
          remote,
          `${remote} calls its version "${text}", of which nothing is known here`,
          'use a release of Incus',
        ),
      ]
    const exported = coverages.some(({ covered }) =>
      covered.some(({ ref, policy }) => ref.remote === remote && policy.export != null),
    )
    return [...exportsOf(remote, text, exported), ...safetyOf(remote, text)]
  })
}

function exportsOf(remote: string, text: string, exported: boolean): Finding[] {
  const version = parseVersion(text)
  const cure = 'update that server to 7.0.2, 7.4 or later'
  const why = refuseWay('named backup', text)
  const tell = exported ? warning : info
  if (why !== null)
    return [tell('version-exports', remote, `exports of ${remote} can't be trusted: ${why}`, cure)]
  return version !== null && diesOfExports(version)
    ? [
        tell(
          'version-exports',
          remote,
          `on Incus ${text} of ${remote} an export that fails ends the daemon, and with it whatever else runs there`,
          cure,
        ),
      ]
    : []
}

/** A distribution may have mended them without another version. */
function safetyOf(remote: string, text: string): Finding[] {
  const version = parseVersion(text)
  const found = version === null ? [] : advisoriesOf(version)
  if (found.length === 0) return []
  const names = found.flatMap((one) => one.names)
  const gravest = found.at(-1)?.what ?? ''
  return [
    unknown(
      'version-advisories',
      remote,
      `Incus ${text} of ${remote} is older than what fixes ${names.length} advisories (${names[0]}${names.length > 1 ? ` to ${names.at(-1)}` : ''}), unless its packager has mended them. With the newest of them ${gravest}`,
      `on that server, zcat /usr/share/doc/incus*/changelog.Debian.gz | grep CVE shows what a package of Debian has mended; else update it`,
    ),
  ]
}
