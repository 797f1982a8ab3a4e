/**
 * A text without its moments, ages and counts, by which later words about the same thing are known. The digits of
 * names stay: `main2` is not `main1`.
 */
export const numberless = (text: string): string =>
  text
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*/g, '#')
    .replace(/\d{8}T\d{4,6}Z/g, '#')
    .replace(/(?<![\w/-])\d+/g, '#')
