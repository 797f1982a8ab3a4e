/** Whether the relay and the servers behind it answer, and what the relay's configuration lets them be. */
import { describe } from '../incus/refusal.ts'
import type { RemoteReply } from '../relay/protocol.ts'
import type { Examined } from './examined.ts'
import { critical, type Finding } from './finding.ts'
import { curedIn } from './split.ts'

export function aboutServers({ remotes, coverages }: Examined): Finding[] {
  const silent = Object.entries(remotes).flatMap(([remote, reply]) =>
    reply.ok ? [] : [{ remote, error: reply.error }],
  )
  const relay = silent.find(({ error }) => error.of === 'relay')
  const roles = new Map(
    coverages.flatMap(({ roles: wrong }) =>
      wrong.map(({ about, reason }) => [`${about} ${reason}`, { about, reason }]),
    ),
  )
  return [
    ...(relay === undefined ? [] : [relaySilent(relay.error)]),
    ...silent.flatMap(({ remote, error }) => (error.of === 'relay' ? [] : [remoteSilent(remote, error)])),
    ...[...roles.values()].map(({ about, reason }) => {
      const [what, cure] = curedIn(reason)
      return critical('role-wrong', about, what, cure)
    }),
  ]
}

type Failure = Extract<RemoteReply, { ok: false }>['error']

export const relaySilent = (error: Failure): Finding =>
  critical(
    'relay-silent',
    null,
    `the Worker gets no usable answer of the relay: ${describe(error, true)}`,
    'is the relay running, are RELAY_URL, RELAY_KEY_ID and RELAY_KEY those of relay.jsonc, and are both clocks right?',
  )

const remoteSilent = (remote: string, error: Failure): Finding =>
  critical(
    'remote-silent',
    remote,
    `${remote} gives the relay no usable answer: ${describe(error, true)}`,
    'is the server up, are url and fingerprint in relay.jsonc right, and does it trust the relay’s certificate? docs/operations.md lists the messages',
  )
