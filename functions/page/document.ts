/** A whole document, from its root element. */
export const document = (root: { toString(): unknown }): string => `<!doctype html>${root}`
