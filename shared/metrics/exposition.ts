/** Metrics as text: OpenMetrics 1.0, or Prometheus's own format 0.0.4, which older scrapers read. */
import type { Family, Histogram, Labels, Sample } from './family.ts'

type Format = 'openmetrics' | 'text'

export const CONTENT_TYPES: Record<Format, string> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  text: 'text/plain; version=0.0.4; charset=utf-8',
}

export function expose(families: readonly Family[], format: Format): string {
  const lines = families.flatMap((family) => [...headOf(family, format), ...bodyOf(family)])
  return `${[...lines, ...(format === 'openmetrics' ? ['# EOF'] : [])].join('\n')}\n`
}

function headOf({ name, type, help }: Family, format: Format): string[] {
  const shown = format === 'text' && type === 'counter' ? `${name}_total` : name
  const unit = /_(seconds|bytes)$/.exec(name)?.[1]
  return [
    `# HELP ${shown} ${help}`,
    `# TYPE ${shown} ${type}`,
    ...(format === 'text' || unit === undefined ? [] : [`# UNIT ${shown} ${unit}`]),
  ]
}

function bodyOf(family: Family): string[] {
  const { name } = family
  if (family.type === 'histogram') return family.samples.flatMap((one) => histogramLines(name, one))
  const full = family.type === 'counter' ? `${name}_total` : name
  return family.samples.map((sample) => lineOf(full, sample))
}

function histogramLines(name: string, { labels, buckets, count, sum }: Histogram): string[] {
  const all = [...buckets, [Infinity, count] as const]
  return [
    ...all.map(([bound, value]) =>
      lineOf(`${name}_bucket`, { labels: { ...labels, le: boundOf(bound) }, value }),
    ),
    lineOf(`${name}_count`, { labels, value: count }),
    lineOf(`${name}_sum`, { labels, value: sum }),
  ]
}

/** A whole number has `.0` in both formats, so that a series doesn't depend on the format. */
const boundOf = (bound: number): string => (Number.isInteger(bound) ? `${bound}.0` : numberOf(bound))

const lineOf = (name: string, { labels, value }: Sample): string =>
  `${name}${labelsOf(labels)} ${numberOf(value)}`

function labelsOf(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const numberOf = (value: number): string =>
  value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value)

const SPECIAL = /[\\"\n]/

const escaped = (text: string): string =>
  SPECIAL.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : text

/** What the scraper prefers, by its header `Accept`. */
export function formatFor(accept = ''): Format {
  const ranges = accept.split(',').map(rangeOf)
  const wanted = (type: string): number => {
    const names = [type, `${type.split('/')[0]}/*`, '*/*']
    const [best] = names.flatMap((name) => {
      const qualities = ranges.filter((range) => range.name === name).map(({ quality }) => quality)
      return qualities.length === 0 ? [] : [Math.max(...qualities)]
    })
    return best ?? 0
  }
  return wanted('text/plain') > wanted('application/openmetrics-text') ? 'text' : 'openmetrics'
}

function rangeOf(range: string): { name: string; quality: number } {
  const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
  const said = parameters.find((parameter) => parameter.startsWith('q='))
  const quality = said === undefined ? 1 : Number(said.slice(2))
  return { name, quality: Number.isNaN(quality) ? 0 : quality }
}
