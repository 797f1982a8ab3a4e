/** What `npm start` shows of how things are: what is new since the tick before, and when all is well again. */
import { withoutAnswer } from '../../shared/answered.ts'
import { numberless } from '../../shared/numberless.ts'
import type { Health } from '../session.ts'

/** So many at once; the page shows all. */
const SHOWN = 5

/** By which later words about the same thing are known. */
const gist = (text: string): string => numberless(withoutAnswer(text))

/** Renders after each tick; null where nothing is new. */
export function createLookout(): (at: Date, health: Health) => string | null {
  let said = new Set<string>()
  let before: Health['health'] = 'good'
  return (at, { health, warnings, promises }) => {
    const pending = promises.filter(({ state }) => state === 'pending').length
    // What comes first is shown as it comes.
    const texts = warnings.slice(0, Math.max(0, warnings.length - pending))
    // A later time of the next try, or another age, is no news.
    const now = new Set(texts.map(gist))
    const fresh = texts.filter((text) => !said.has(gist(text)))
    const isGood = health === 'good' && before !== 'good'
    const isOver = said.size > 0 && now.size === 0
    said = now
    before = health
    const time = `${at.toISOString().slice(11, 19)}Z`
    if (isGood) return `${time}  all is well\n`
    if (isOver) return `${time}  that is over; first backups are still to come\n`
    if (fresh.length === 0) return null
    const more = fresh.length > SHOWN ? [`… and ${fresh.length - SHOWN} more, see GET /api/status`] : []
    const title = health === 'bad' ? 'not all is well' : 'to look at'
    return `${time}  ${title}\n${[...fresh.slice(0, SHOWN), ...more].map((text) => `  ! ${text}\n`).join('')}`
  }
}
