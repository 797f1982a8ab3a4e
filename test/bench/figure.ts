/** What a bench says: figures, each with the bound it is held to, if there is one. */
export type Figure = {
  name: string
  value: number
  unit: string
  bound?: { at: 'most' | 'least'; value: number }
}

export type Report = {
  figures: Figure[]
  /** How it was measured and where the time goes, for people. */
  notes: string[]
}

export const atMost = (name: string, value: number, unit: string, bound: number): Figure => ({
  name,
  value,
  unit,
  bound: { at: 'most', value: bound },
})

export const atLeast = (name: string, value: number, unit: string, bound: number): Figure => ({
  name,
  value,
  unit,
  bound: { at: 'least', value: bound },
})

export const isMissed = ({ value, bound }: Figure): boolean =>
  bound !== undefined && !(bound.at === 'most' ? value <= bound.value : value >= bound.value)

export function renderReport({ figures, notes }: Report): string {
  const lines = figures.map((figure) => {
    const { name, value, unit, bound } = figure
    const limit =
      bound === undefined ? '' : `at ${bound.at} ${bound.value}  ${isMissed(figure) ? 'MISSED' : 'ok'}`
    return `  ${name.padEnd(62)} ${render(value).padStart(9)} ${unit.padEnd(6)} ${limit}`.trimEnd()
  })
  return [...lines, ...notes.map((note) => `  · ${note}`)].join('\n')
}

const render = (value: number): string =>
  Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1)

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
