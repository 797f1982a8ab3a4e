/** How a copy and its verification read. */
import { subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import { expireLine } from '../retention/lines.ts'
import type { CopyAction, PermitAction, VerifyAction } from './action.ts'

/** The tallies of what goes on the target. */
export const [ON_COPY, WHOLE] = ['on a copy', 'whole copy']

/** Removals on the target come first. */
export function copyLines(action: CopyAction): Line[] {
  const { target, startOver, unverified, mirrored } = action
  const about = subjectKey(target)
  const gone = (what: string, reason: string, counts = ON_COPY): Line => ({
    ...{ about, sign: '-', counts, what, reason },
  })
  return [
    ...(startOver
      ? [gone('the whole copy', 'this first copy was never verified, so it is started over', WHOLE)]
      : []),
    ...unverified.map((what) => gone(what, 'it was never verified')),
    ...mirrored.map((what) => gone(what, 'the refresh removes it: the source no longer has it')),
    copyLine(action),
  ]
}

const stillness = ({ standstill, inconsistent }: Pick<CopyAction, 'standstill' | 'inconsistent'>): string =>
  standstill !== null
    ? `; ${standstill}`
    : inconsistent
      ? '; it isn’t frozen: the copy’s current state may be inconsistent, its snapshots never are'
      : ''

export function copyLine({
  source,
  target,
  first,
  member,
  transferMode,
  reason,
  ...action
}: CopyAction): Line {
  const onto = first && member !== null ? `, onto ${member}` : ''
  const how = `${first ? 'first copy' : 'refresh'} by ${transferMode}${onto}`
  return {
    about: subjectKey(source),
    sign: '>',
    what: subjectKey(target),
    reason: `${how}: ${reason}${stillness(action)}`,
  }
}

export const verifyLine = ({ source, target, reason }: VerifyAction): Line => ({
  about: subjectKey(source),
  sign: '✓',
  what: subjectKey(target),
  reason,
})

export const verifyLines = (action: VerifyAction): Line[] => [
  verifyLine(action),
  ...action.expire.map(expireLine),
]

export const permitLine = ({ source, target, reason }: PermitAction): Line => ({
  about: subjectKey(source),
  sign: '…',
  what: subjectKey(target),
  reason,
})

export const permitLines = (action: PermitAction): Line[] => [
  ...action.snapshots.map(([what]): Line => {
    const when = action.until === null ? 'as soon as a refresh begins' : `not before ${action.until}`
    const reason = `the refresh removes it, ${when}: the source no longer has it`
    return { about: subjectKey(action.target), sign: '-', counts: ON_COPY, what, reason }
  }),
  permitLine(action),
]
