/** Collects what the doctor judges: what KV remembers, and what the relay sees now. */
import { type Diagnosis, diagnose } from '../shared/doctor/diagnosis.ts'
import type { ChannelExam } from '../shared/doctor/examined.ts'
import { examWanted } from '../shared/doctor/wanted.ts'
import type { Notices } from '../shared/notify/notices.ts'
import { own } from '../shared/own.ts'
import { effectiveConfig } from '../shared/policy/pause.ts'
import type { Config } from '../shared/policy/policy.ts'
import type { CallError } from '../shared/relay/protocol.ts'
import { err } from '../shared/result.ts'
import { VERSION } from '../shared/version.ts'
import { verdictIn } from './api/status.ts'
import { type Io, look } from './run.ts'
import { findConfig } from './state/config.ts'
import { readKnown } from './state/known.ts'
import { readNotices, readTested } from './state/notices.ts'
import { outageProblems } from './state/unwritten.ts'

export async function doctor(io: Io, now: Date): Promise<Diagnosis> {
  const { state } = io
  const [{ stored, problems }, known, notices, tested, seen] = await Promise.all([
    findConfig(state),
    readKnown(state, now),
    readNotices(state, now),
    readTested(state, now),
    look(io, now),
  ])
  const config = stored === null ? null : effectiveConfig(stored, now)
  const looked = { remotes: seen?.world.remotes ?? {}, coverages: seen?.coverages ?? [] }
  return diagnose({
    ...{ now, version: VERSION },
    config,
    verdict: verdictIn({ stored, problems: [...outageProblems(now), ...problems] }, known, now),
    ledger: known.ledger,
    channels: channelsIn(config, notices, tested),
    ...looked,
    relay: (await io.relay.examine?.(examWanted(looked))) ?? CANT,
  })
}

const CANT = err<CallError>({ code: 'bad-request', status: 404, message: 'it has no such call' })

/** With when each was told something last. */
const channelsIn = (
  config: Config | null,
  { channels, open }: Notices,
  tested: Readonly<Record<string, string>>,
): ChannelExam[] =>
  (config?.notify ?? []).map(({ name, type }) => {
    const told = Object.values(open).flatMap((notice) => own(notice.told, name)?.at ?? [])
    const heard = [...told, own(channels, name)?.digestAt ?? [], own(tested, name) ?? []].flat().sort()
    return { name, type, heard: heard.at(-1) ?? null }
  })
