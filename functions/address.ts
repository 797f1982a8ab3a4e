/** Which addresses a request may go to. What travels over plain http:// can be read and forged on the way. */

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/

/** `plain`: http:// to another machine than this one. */
export type Flaw = 'no address' | 'user' | 'plain'

/** Null: it may be used. Judged by the name alone: another one may lead to loopback today and elsewhere tomorrow. */
export function flawOf(address: string): Flaw | null {
  const url = URL.parse(address)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return 'no address'
  if (url.username !== '' || url.password !== '') return 'user'
  return url.protocol === 'https:' || LOOPBACK.test(url.hostname) ? null : 'plain'
}

/** Where http:// may lead. */
export const HERE = '127.0.0.1, [::1] and localhost'
