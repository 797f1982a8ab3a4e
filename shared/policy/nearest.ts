/** The known word that a mistyped one most likely meant, or null when none is close. */
export function nearest(word: string, known: readonly string[]): string | null {
  const folded = fold(word)
  let best: string | null = null
  let bestDistance = Math.max(1, Math.floor(folded.length / 3)) + 1
  for (const candidate of known) {
    const away = distance(folded, fold(candidate), bestDistance)
    if (away < bestDistance) {
      best = candidate
      bestDistance = away
    }
  }
  return best
}

/** Other spellings of one word ("within-hourly", "transfer_mode") are no distance at all. */
const fold = (word: string): string => word.toLowerCase().replace(/[-_ ]/g, '')

/** Edit distance with swaps of neighbours (optimal string alignment); any number ≥ `limit` once it is too far. */
function distance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit
  let before: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1]
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      row[j] = Math.min(
        (row[j - 1] ?? limit) + 1,
        (last[j] ?? limit) + 1,
        (last[j - 1] ?? limit) + (same ? 0 : 1),
        swapped ? (before[j - 2] ?? limit) + 1 : limit,
      )
    }
    before = last
    last = row
  }
  return last[to.length] ?? limit
}
