/** Whether the relay and the servers behind it answer, and what the relay's configuration lets them be. */
import { describe } from '../incus/refusal.ts'
import type { CallError } from '../relay/protocol.ts'
import type { Examined } from './examined.ts'
import { critical, type Finding, unknown } from './finding.ts'
import { curedIn } from './split.ts'

export function aboutServers({ remotes, coverages, relay: exam }: Examined): Finding[] {
  const silent = Object.entries(remotes).flatMap(([remote, reply]) =>
    reply.ok ? [] : [{ remote, error: reply.error }],
  )
  const relay = silent.find(({ error }) => error.of === 'relay')?.error ?? unanswered(exam)
  const roles = new Map(
    coverages.flatMap(({ roles: wrong }) =>
      wrong.map(({ about, reason }) => [`${about} ${reason}`, { about, reason }]),
    ),
  )
  return [
    ...(relay === null ? [] : [relaySilent(relay)]),
    ...silent.flatMap(({ remote, error }) => (error.of === 'relay' ? [] : [remoteSilent(remote, error)])),
    ...[...roles.values()].map(({ about, reason }) => {
      const [what, cure] = curedIn(reason)
      return critical('role-wrong', about, what, cure)
    }),
  ]
}

/** The relay answers other calls, and has never heard of this one. */
const isUnknown = ({ code, status }: CallError): boolean => code === 'bad-request' && status === 404

const unanswered = (exam: Examined['relay']): CallError | null =>
  exam.ok || isUnknown(exam.error) ? null : exam.error

/** What only its own exam tells is unknown then. */
export const relayOld = (exam: Examined['relay']): Finding[] =>
  exam.ok || !isUnknown(exam.error)
    ? []
    : [
        unknown(
          'relay-old',
          null,
          'the relay is of an earlier version, which can’t look at certificates, space, rights and ways between servers',
          'update the relay, and right after it the Worker',
        ),
      ]

const relaySilent = (error: CallError): Finding =>
  critical(
    'relay-silent',
    null,
    `the Worker gets no usable answer of the relay: ${describe(error, true)}`,
    'is the relay running, are RELAY_URL, RELAY_KEY_ID and RELAY_KEY those of relay.jsonc, and are both clocks right?',
  )

const remoteSilent = (remote: string, error: CallError): Finding =>
  critical(
    'remote-silent',
    remote,
    `${remote} gives the relay no usable answer: ${describe(error, true)}`,
    'is the server up, are url and fingerprint in relay.jsonc right, and does it trust the relay’s certificate? docs/operations.md lists the messages',
  )
