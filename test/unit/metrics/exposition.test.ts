/** Metrics as text. */
import { describe, expect, test } from 'vitest'
import { expose, formatFor } from '../../../shared/metrics/exposition.ts'
import type { Family } from '../../../shared/metrics/family.ts'

const FAMILIES: Family[] = [
  { name: 'a_seconds', type: 'gauge', help: 'Of a.', samples: [{ labels: {}, value: 1.5 }] },
  { name: 'b', type: 'counter', help: 'Of b.', samples: [{ labels: { x: 'y' }, value: 2 }] },
  {
    ...{ name: 'c_bytes', type: 'histogram', help: 'Of c.' },
    samples: [
      {
        ...{ labels: { x: 'y' }, count: 3, sum: 12.5 },
        buckets: [
          [0.5, 1],
          [2, 2],
        ],
      },
    ],
  },
]

test('OpenMetrics has units, names counters without their suffix, and ends with EOF', () => {
  expect(expose(FAMILIES, 'openmetrics')).toBe(`# HELP a_seconds Of a.
# TYPE a_seconds gauge
# UNIT a_seconds seconds
a_seconds 1.5
# HELP b Of b.
# TYPE b counter
b_total{x="y"} 2
# HELP c_bytes Of c.
# TYPE c_bytes histogram
# UNIT c_bytes bytes
c_bytes_bucket{x="y",le="0.5"} 1
c_bytes_bucket{x="y",le="2.0"} 2
c_bytes_bucket{x="y",le="+Inf"} 3
c_bytes_count{x="y"} 3
c_bytes_sum{x="y"} 12.5
# EOF
`)
})

test('Prometheus’s own format has neither, and names counters as their samples', () => {
  const text = expose(FAMILIES, 'text')
  expect(text).toContain('# TYPE b_total counter\nb_total{x="y"} 2\n')
  expect(text).not.toMatch(/# (UNIT|EOF)/)
})

test('whatever a label is called by others, it stays one label of one line', () => {
  const value = 'a"} 1\nstapes_health{tone="good"} 1 \\'
  const text = expose(
    [{ ...{ name: 'a', type: 'gauge', help: 'h' }, samples: [{ labels: { x: value }, value: 0 }] }],
    'text',
  )
  expect(text.split('\n')).toHaveLength(4)
  expect(text).toContain('a{x="a\\"} 1\\nstapes_health{tone=\\"good\\"} 1 \\\\"} 0\n')
})

describe('the format', () => {
  test.each([
    [
      'of Prometheus 2',
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'openmetrics',
    ],
    [
      'of Prometheus 3',
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
      'openmetrics',
    ],
    ['of whoever takes anything', '*/*', 'openmetrics'],
    ['of whoever says nothing', undefined, 'openmetrics'],
    ['of an older scraper', 'text/plain;version=0.0.4;q=1,*/*;q=0.1', 'text'],
    ['of a browser', 'text/html,text/*;q=0.9,*/*;q=0.8', 'text'],
    ['of whoever refuses OpenMetrics', 'application/openmetrics-text;q=0,*/*;q=0.5', 'text'],
    ['of whoever makes no sense', 'text/plain;q=x', 'openmetrics'],
  ])('%s', (_, accept, format) => {
    expect(formatFor(accept)).toBe(format)
  })
})
