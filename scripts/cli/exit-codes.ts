/** What a command's end tells scripts. */
export const EXIT = {
  /** Done; of `status`: all is well; of `doctor`: nothing is wrong. */
  good: 0,
  /** It failed, was refused or misunderstood, or stapes gave no answer. */
  failed: 1,
  /** `status`: a promise is broken, or can't be known. `doctor`: something is critical. */
  broken: 2,
  /** `status`: all promises are kept, and something needs a look; so `doctor`, or something could not be looked at. */
  warned: 3,
  /** Nothing was done: there is no terminal to ask in, or somebody said no. */
  unconfirmed: 4,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
