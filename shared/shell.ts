/** Words of a command that people are told to run: what a server names must not run anything else. */

/** As a POSIX shell takes it for one word. */
export const shellWord = (word: string): string =>
  /^[\w./+@%:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
