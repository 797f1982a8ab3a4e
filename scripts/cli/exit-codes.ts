/** What a command's end tells scripts. */
export const EXIT = {
  /** Done; of `status`: all is well. */
  good: 0,
  /** It failed, was refused or misunderstood, or stapes gave no answer. */
  failed: 1,
  /** `status`: a promise is broken, or can't be known. */
  broken: 2,
  /** `status`: all promises are kept, and something needs a look. */
  warned: 3,
  /** Nothing was done: there is no terminal to ask in, or somebody said no. */
  unconfirmed: 4,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
